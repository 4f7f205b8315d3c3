"""Train a skip model: split, fit, measure on later plays, refit on all plays, draft."""

from dataclasses import replace

from pozytywka_cli import evaluation, learning
from pozytywka_cli.artifacts import Draft
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import log_loss
from pozytywka_cli.families.family import Trained, TrainingRun
from pozytywka_cli.families.skip import FAMILY, card
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.fitting import FittedModel, TrainingData, fit
from pozytywka_cli.families.skip.metrics import measure
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import everything, time_split
from pozytywka_cli.records import Row

MARGIN = 0.001  # of log loss, in nats
BASELINES = ("user-rate", FAMILY.baseline)  # those that a model's card shows beside it

SIGNATURE = {
    "inputs": {
        "user_id": "int64",
        "track_id": "string",
        "at": "UTC, µs, or null: when the user's last play has ended",
        "session_id": "int64, or null: a new one",
    },
    "outputs": {"probability": "float64, of a skip", "reason": "string", "method": "string"},
}


def train(dataset: Dataset, run: TrainingRun) -> Trained:
    """Measure a variant on the last fifth of the log's time, then fit it on all plays; errors as in `time_split`."""
    variant, settings = run.variant, run.settings_as(SkipSettings)
    log = PlayLog.of(dataset)

    # fit on the plays before the last fifth of the time, and measure on those in it
    data = TrainingData(log, time_split(log.plays), settings)
    test = log.plays.filter(data.split.test)
    measured = {name: fit(name, data, run) for name in dict.fromkeys((variant, *BASELINES))}
    predictions = {name: data.predictions(fitted.model) for name, fitted in measured.items()}
    metrics = [row for name, made in predictions.items() for row in measure(name, data.split.protocol, test, made)]

    # fit again on all plays, with as many epochs as were best
    data = TrainingData(log, everything(log.plays), settings)
    baseline_metrics = [row for row in metrics if row.variant in BASELINES]
    baseline = _draft(measured[FAMILY.baseline], fit(FAMILY.baseline, data, run), baseline_metrics)
    if variant == FAMILY.baseline:
        return Trained(baseline, baseline)
    model = _draft(measured[variant], fit(variant, data, run, measured[variant].best), metrics)

    skipped, users = test["skipped"].to_numpy(), test["user_id"].to_numpy()
    loss, baseline_loss = (log_loss(skipped, predictions[name].probability) for name in (variant, FAMILY.baseline))
    gate = evaluation.gate("log_loss", FAMILY.baseline, loss, baseline_loss, users, margin=MARGIN)
    return Trained(replace(model, gate=gate), baseline)


def _draft(measured: FittedModel, final: FittedModel, metrics: list[Row]) -> Draft:
    """Return the draft of the model fitted on all plays, with the metrics of the one fitted before the test plays."""
    return Draft(
        variant=final.model.variant,
        write=final.model.save,
        signature=SIGNATURE,
        metrics=metrics,
        card=card.text(final.model.skip_rate),
        notes=final.notes + ([card.IS_CONSTANT] if measured.constant else []),
        epochs=[row for index, one in enumerate(measured.epochs) for row in learning.epoch_records(one, member=index)],
    )
