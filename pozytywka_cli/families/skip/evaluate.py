"""Evaluate every skip variant on held-out plays; none sees anything later than the start of the play it predicts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl

from pozytywka_cli import tuning
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import Champion
from pozytywka_cli.families.family import Evaluated, TrainingRun
from pozytywka_cli.families.skip import FAMILY, card, charts
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.readers import Scaling
from pozytywka_cli.families.skip.fitting import FittedModel, TrainingData
from pozytywka_cli.families.skip.metrics import Predictions, compare, measure
from pozytywka_cli.families.skip.models.model import Model
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import TIME, USER, Split, time_split, user_splits
from pozytywka_cli.families.skip.validation import choose, fit, validate_all
from pozytywka_cli.records import Panel, Progress, Row, silent


class Fold(NamedTuple):
    """What the models of one split tell.

    predictions: of the test plays, by variant
    default: the fitted default variant
    chosen: which variant serves, by the validation plays
    notes: what a reader of the metrics should know about the models behind them
    """

    predictions: dict[str, Predictions]
    default: Model
    chosen: Champion
    notes: list[str]


def evaluate(dataset: Dataset, run: TrainingRun) -> Evaluated:
    """Measure every variant on the last fifth of the log's time, and over folds of users; errors as in `time_split`."""
    log = PlayLog.of(dataset)
    splits, refused = [time_split(log.plays)], []
    try:
        splits += user_splits(log.plays)
    except RefusedError as error:
        refused = [f"skip is evaluated by time only: {error.message}"]
    by_time, *by_user = fit_splits(log, splits, run)
    tested = {splits[0].protocol: (log.plays.filter(splits[0].test), by_time.predictions)}
    if by_user:
        tested[splits[1].protocol] = log.plays, joined(by_user, splits[1:])
    rows = [row for protocol, (plays, made) in tested.items() for row in table(protocol, plays, made, run)]
    panels = partial(draw, TrainingData(log, splits[0], run.settings_as(SkipSettings)), by_time, run)
    notes = summarize(splits[0].protocol, [by_time.notes]) + summarize(USER, [fold.notes for fold in by_user])
    return Evaluated(rows + by_time.chosen.rows, panels, notes + refused)


def fit_splits(
    log: PlayLog, splits: Sequence[Split], run: TrainingRun, variants: Sequence[str] = tuple(FAMILY.variants)
) -> list[Fold]:
    """Fit every variant on each split, in as many processes as the run has jobs; that changes no result."""
    alone = replace(run, progress=silent) if run.jobs > 1 else run  # a process cannot report to this one
    folds: dict[int, Fold] = {}
    task = partial(fit_split, log, alone, variants)
    with tuning.in_processes(task, dict(enumerate(splits)), run.jobs) as results:
        for number, fold in results:
            folds[number] = fold
            run.progress(Progress("skip splits", len(folds), len(splits)))
    return [folds[number] for number in range(len(splits))]


def fit_split(log: PlayLog, run: TrainingRun, variants: Sequence[str], split: Split) -> Fold:
    """Fit variants on the training plays of a split, and predict its test plays."""
    run = run if split.protocol == TIME else replace(run, rivals=())  # `train` chooses by time
    data = TrainingData(log, split, run.settings_as(SkipSettings))
    fitted, chosen = fit_all(data, run, variants)
    predictions = {variant: data.predictions(one.model) for variant, one in fitted.items()}
    notes = [f"{variant}: {note}" for variant, one in fitted.items() for note in one.notes]
    notes += [f"{variant}: {card.IS_CONSTANT}" for variant, one in fitted.items() if one.constant]
    return Fold(predictions, fitted[run.variant].model, chosen, notes + chosen.notes)


def fit_all(data: TrainingData, run: TrainingRun, variants: Iterable[str]) -> tuple[dict[str, FittedModel], Champion]:
    """Fit variants on the training plays, and choose the one that serves."""
    validated = validate_all((run.variant, *run.rivals), data, run)
    fitted = {variant: fit(variant, data, run, validated.get(variant)) for variant in variants}
    return fitted, choose(validated, data, run)


def joined(folds: Sequence[Fold], splits: Sequence[Split]) -> dict[str, Predictions]:
    """Return each variant's predictions for all plays, of models that did not see a play: (plays,)."""
    predictions = {variant: Predictions(*np.empty((2, len(splits[0].test)))) for variant in folds[0].predictions}
    for split, fold in zip(splits, folds, strict=True):
        for variant, made in fold.predictions.items():
            predictions[variant].probability[split.test] = made.probability
            predictions[variant].threshold[split.test] = made.threshold
    return predictions


def table(protocol: str, plays: pl.DataFrame, predictions: dict[str, Predictions], run: TrainingRun) -> list[Row]:
    """Compute the metrics of every variant in as many processes, and the differences from the run's variant."""
    columns = plays.select("user_id", "skipped")  # all that metrics read
    tasks = {number: (variant, protocol, columns, made) for number, (variant, made) in enumerate(predictions.items())}
    with tuning.in_processes(_measure, tasks, run.jobs) as results:
        rows = dict(results)
    return [row for number in tasks for row in rows[number]] + compare(protocol, plays, predictions, run.variant)


def _measure(task: tuple[str, str, pl.DataFrame, Predictions]) -> list[Row]:
    return measure(*task)


def summarize(protocol: str, folds: list[list[str]]) -> list[str]:
    """Return each note on the models of a protocol once, with the number of folds that it applies to."""
    counts = Counter(note for notes in folds for note in notes)
    share = " (in {} of {} folds)" if len(folds) > 1 else ""
    return [f"{protocol}, {note}{share.format(count, len(folds))}" for note, count in counts.items()]


def draw(data: TrainingData, fold: Fold, run: TrainingRun) -> list[Panel]:
    """Draw the predictions for the test plays, and the importance of the features that the default variant reads."""
    model, test = fold.default, data.split.test
    reader = model.reader
    assert isinstance(reader, Scaling)
    (features,), skipped = data.inputs(model.variant, test), data.skipped[test]
    importance = charts.permutation_importance(
        lambda shuffled: model.probability((shuffled,)), features, list(reader.mean), skipped, run.seed, run.progress
    )
    probabilities = {variant: made.probability for variant, made in fold.predictions.items()}
    return charts.panels(data.log.plays.filter(test), probabilities, {model.variant: importance})
