"""Fit a skip model: first measured on plays later than those it learned from, then fitted on all plays."""

import math
from dataclasses import replace

import polars as pl

from pozytywka_cli.artifacts import Draft, Trained
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import log_loss, paired_difference
from pozytywka_cli.families.skip import BASELINE, card
from pozytywka_cli.families.skip.features.history import canonical
from pozytywka_cli.families.skip.fit import learn
from pozytywka_cli.families.skip.metrics import Answers, figures
from pozytywka_cli.families.skip.network_fitting import Learned
from pozytywka_cli.families.skip.splits import everything, time_split
from pozytywka_cli.families.skip.training_data import TrainingData
from pozytywka_cli.records import Gate, Report, Row
from pozytywka_cli.settings import SkipSettings

MARGIN = 0.001  # of log loss, in nats
PLAIN = ("user-rate", BASELINE)  # what a model stands beside in its card

SIGNATURE = {
    "inputs": {
        "user_id": "int64",
        "track_id": "string",
        "at": "UTC, µs, or null: when the user's last play has ended",
        "session_id": "int64, or null: a new one",
    },
    "outputs": {"probability": "float64, of a skip"},
}


def train(dataset: Dataset, settings: SkipSettings, *, variant: str, seed: int, device: str, report: Report) -> Trained:
    """Measure a variant beside plain answers on the last fifth of the log's time, and fit it on all plays.

    Raises:
        RefusedError: fewer than 100 plays or 2 users, or plays that all went the same way.
    """
    dataset = replace(dataset, plays=canonical(dataset.plays))
    training_data = TrainingData(dataset, time_split(dataset.plays), settings)

    def fit(name: str, training_data: TrainingData, stop_after: list[int] | None = None) -> Learned:
        return learn(name, training_data, stop_after=stop_after, seed=seed, device=device, report=report)

    measured = {name: fit(name, training_data) for name in (variant, *PLAIN)}
    answers = {name: training_data.answers(found.model) for name, found in measured.items()}
    test = dataset.plays.filter(training_data.split.test)
    metrics = [
        row for name, given in answers.items() for row in figures(name, training_data.split.protocol, test, given)
    ]
    whole = TrainingData(dataset, everything(dataset.plays), settings)
    baseline = _draft(measured[BASELINE], fit(BASELINE, whole), [row for row in metrics if row.variant in PLAIN])
    if variant == BASELINE:
        return Trained(baseline, baseline)
    model = _draft(measured[variant], fit(variant, whole, measured[variant].best), metrics)
    return Trained(replace(model, gate=_gate(answers[variant], answers[BASELINE], test)), baseline)


def _draft(measured: Learned, served: Learned, metrics: list[Row]) -> Draft:
    """The draft of a model fitted on all plays, with what was found of the one fitted before the test plays."""
    return Draft(
        variant=served.model.variant,
        write=served.model.save,
        signature=SIGNATURE,
        metrics=metrics,
        question=card.QUESTION,
        protocol=card.PROTOCOL,
        use=f"{card.USE} {card.DECISION.format(served.model.skip_rate)}",
        not_for=card.NOT_FOR,
        limits=card.LIMITS,
        glossary=card.GLOSSARY,
        notes=served.notes + ([card.NO_GAIN] if measured.constant else []),
        epochs=_records(measured),
    )


def _records(measured: Learned) -> list[dict[str, float]]:
    # without their seconds, so that the same run gives the same bytes; JSON has no NaN
    return [
        {"member": member, "epoch": epoch.epoch}
        | {
            name: loss
            for name, loss in (("train_loss", epoch.train_loss), ("validation_loss", epoch.validation_loss))
            if not math.isnan(loss)
        }
        for member, epochs in enumerate(measured.epochs)
        for epoch in epochs
    ]


def _gate(ours: Answers, plain: Answers, test: pl.DataFrame) -> Gate:
    """Is the model's log loss worse than the constant's by more than .001? Users are resampled."""
    loss, baseline = (log_loss(test["skipped"].to_numpy(), answers.probability) for answers in (ours, plain))
    difference, low, high = paired_difference(loss, baseline, test["user_id"].to_numpy())
    return Gate("log loss", float(loss.mean()), float(baseline.mean()), BASELINE, difference, low, high, MARGIN)
