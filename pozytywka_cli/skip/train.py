"""Fit a skip model: first measured on plays later than those it learned from, then fitted on all plays."""

import math
from dataclasses import replace

import polars as pl

from pozytywka_cli.artifacts import Draft, Trained
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.evaluation import log_loss, paired_difference
from pozytywka_cli.records import Gate, Report, Row
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.skip import BASELINE, words
from pozytywka_cli.skip.fitting import Learned
from pozytywka_cli.skip.inputs.history import canonical
from pozytywka_cli.skip.learn import learn
from pozytywka_cli.skip.lesson import Lesson
from pozytywka_cli.skip.measure import Answers, figures
from pozytywka_cli.skip.split import everything, time_split

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


def train(service: Service, settings: SkipSettings, *, variant: str, seed: int, device: str, report: Report) -> Trained:
    """Measure a variant beside plain answers on the last fifth of the log's time, and fit it on all plays.

    Raises:
        RefusedError: fewer than 100 plays or 2 users, or plays that all went the same way.
    """
    service = replace(service, plays=canonical(service.plays))
    lesson = Lesson(service, time_split(service.plays), settings)

    def fit(name: str, lesson: Lesson, stop_after: list[int] | None = None) -> Learned:
        return learn(name, lesson, stop_after=stop_after, seed=seed, device=device, report=report)

    measured = {name: fit(name, lesson) for name in (variant, *PLAIN)}
    answers = {name: lesson.answers(found.model) for name, found in measured.items()}
    test = service.plays.filter(lesson.split.test)
    metrics = [row for name, given in answers.items() for row in figures(name, lesson.split.protocol, test, given)]
    whole = Lesson(service, everything(service.plays), settings)
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
        question=words.QUESTION,
        protocol=words.PROTOCOL,
        use=f"{words.USE} {words.DECISION.format(served.model.skip_rate)}",
        not_for=words.NOT_FOR,
        limits=words.LIMITS,
        glossary=words.GLOSSARY,
        notes=served.notes + ([words.NO_GAIN] if measured.constant else []),
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
