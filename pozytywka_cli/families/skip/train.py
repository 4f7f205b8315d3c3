"""Train a skip model: split, choose, fit, measure on later plays, refit on all plays, draft."""

from dataclasses import replace

from threadpoolctl import threadpool_limits

from pozytywka_cli import evaluation, learning
from pozytywka_cli.artifacts import Draft
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import log_loss
from pozytywka_cli.families.family import Trained, TrainingRun
from pozytywka_cli.families.skip import FAMILY, card
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.fitting import FittedModel, TrainingData
from pozytywka_cli.families.skip.metrics import measure
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import everything, time_split
from pozytywka_cli.families.skip.validation import GATED, choose, fit, validate_all
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
    """Choose a variant, measure it on the last fifth of the log's time, and fit it on all plays.

    Errors as in `time_split`.
    """
    with threadpool_limits(1):  # as in `evaluate`: another number of threads may change the last bits
        return _train(PlayLog.of(dataset), run, run.settings_as(SkipSettings))


def _train(log: PlayLog, run: TrainingRun, settings: SkipSettings) -> Trained:
    # choose among the variant and its rivals on the validation plays, by fits on the plays before them
    data = TrainingData(log, time_split(log.plays), settings)
    validated = validate_all((run.variant, *run.rivals), data, run) if run.rivals or run.variant in GATED else {}
    chosen = choose(validated, data, run)

    # fit on all plays before the last fifth of the time, and measure on those in it
    test = log.plays.filter(data.split.test)
    names = dict.fromkeys((chosen.variant, run.variant, *BASELINES))
    measured = {name: fit(name, data, run, validated.get(name)) for name in names}
    predictions = {name: data.predictions(fitted.model) for name, fitted in measured.items()}
    metrics = [row for name, made in predictions.items() for row in measure(name, data.split.protocol, test, made)]

    # fit in the same way on all plays
    data = TrainingData(log, everything(log.plays), settings)
    baseline_metrics = [row for row in metrics if row.variant in BASELINES]
    baseline = _draft(fit(FAMILY.baseline, data, run), baseline_metrics)
    if chosen.variant == FAMILY.baseline:
        return Trained(baseline, baseline)
    model = _draft(fit(chosen.variant, data, run, validated.get(chosen.variant)), metrics + chosen.rows)
    if chosen.variant != run.variant:
        model = replace(model, chosen_over=run.variant, notes=chosen.notes + model.notes)

    skipped, users = test["skipped"].to_numpy(), test["user_id"].to_numpy()
    loss, baseline_loss = (
        log_loss(skipped, predictions[name].probability) for name in (chosen.variant, FAMILY.baseline)
    )
    gate = evaluation.gate("log_loss", FAMILY.baseline, loss, baseline_loss, users, margin=MARGIN)
    return Trained(replace(model, gate=gate), baseline)


def _draft(fitted: FittedModel, metrics: list[Row]) -> Draft:
    """Return the draft of a model fitted on all plays, with the metrics of one fitted before the test plays."""
    return Draft(
        variant=fitted.model.variant,
        write=fitted.model.save,
        signature=SIGNATURE,
        metrics=metrics,
        card=card.text(fitted.model.skip_rate),
        notes=fitted.notes + ([card.IS_CONSTANT] if fitted.constant else []),
        epochs=[row for index, one in enumerate(fitted.epochs) for row in learning.epoch_records(one, member=index)],
    )
