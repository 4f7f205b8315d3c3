"""Evaluate every skip variant on held-out plays; none sees anything later than the start of the play it predicts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import Evaluated, TrainingRun
from pozytywka_cli.families.skip import FAMILY, card, charts
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.readers import Scaling
from pozytywka_cli.families.skip.fitting import FittedModel, TrainingData, fit
from pozytywka_cli.families.skip.metrics import Predictions, compare, measure
from pozytywka_cli.families.skip.models.model import Model
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import Split, time_split, user_splits
from pozytywka_cli.records import Panel, Row


def evaluate(dataset: Dataset, run: TrainingRun) -> Evaluated:
    """Measure every variant on the last fifth of the log's time, and over folds of users; errors as in `time_split`."""
    log = PlayLog.of(dataset)
    data = TrainingData(log, time_split(log.plays), run.settings_as(SkipSettings))
    fitted, predictions = fit_all(data, run)
    rows = table(data.split.protocol, log.plays.filter(data.split.test), predictions, run)
    notes = summarize(data.split.protocol, [model_notes(fitted)])
    panels = partial(draw, data, fitted[FAMILY.default].model, predictions, run)
    try:
        splits = user_splits(log.plays)
    except RefusedError as error:
        return Evaluated(rows, panels, [*notes, f"skip is evaluated by time only: {error.message}"])
    predictions, fold_notes = cross_validate(log, splits, run)
    rows += table(splits[0].protocol, log.plays, predictions, run)
    return Evaluated(rows, panels, notes + summarize(splits[0].protocol, fold_notes))


def fit_all(
    data: TrainingData, run: TrainingRun, variants: Iterable[str] = FAMILY.variants
) -> tuple[dict[str, FittedModel], dict[str, Predictions]]:
    """Fit every variant on the training plays, and predict the test plays."""
    fitted = {variant: fit(variant, data, run) for variant in variants}
    return fitted, {variant: data.predictions(one.model) for variant, one in fitted.items()}


def cross_validate(
    log: PlayLog, splits: Sequence[Split], run: TrainingRun, variants: Iterable[str] = FAMILY.variants
) -> tuple[dict[str, Predictions], list[list[str]]]:
    """Return each variant's predictions, (plays,), of models that did not see a play, and the notes on each split."""
    predictions = {variant: Predictions(*np.empty((2, len(log.plays)))) for variant in variants}
    notes = []
    for split in splits:
        fitted, folds = fit_all(TrainingData(log, split, run.settings_as(SkipSettings)), run, predictions)
        notes.append(model_notes(fitted))
        for variant, fold in folds.items():
            predictions[variant].probability[split.test] = fold.probability
            predictions[variant].threshold[split.test] = fold.threshold
    return predictions, notes


def table(protocol: str, plays: pl.DataFrame, predictions: dict[str, Predictions], run: TrainingRun) -> list[Row]:
    """Compute the metrics of every variant, and the differences from the run's variant."""
    rows = [row for variant, made in predictions.items() for row in measure(variant, protocol, plays, made)]
    return rows + compare(protocol, plays, predictions, run.variant)


def model_notes(fitted: dict[str, FittedModel]) -> list[str]:
    """Return what a reader of the metrics should know about the models behind them."""
    notes = [f"{variant}: {note}" for variant, one in fitted.items() for note in one.notes]
    return notes + [f"{variant}: {card.IS_CONSTANT}" for variant, one in fitted.items() if one.constant]


def summarize(protocol: str, folds: list[list[str]]) -> list[str]:
    """Return each note on the models of a protocol once, with the number of folds that it applies to."""
    counts = Counter(note for notes in folds for note in notes)
    share = " (in {} of {} folds)" if len(folds) > 1 else ""
    return [f"{protocol}, {note}{share.format(count, len(folds))}" for note, count in counts.items()]


def draw(data: TrainingData, model: Model, predictions: dict[str, Predictions], run: TrainingRun) -> list[Panel]:
    """Draw the predictions for the test plays, and the importance of the features that `model` reads."""
    reader, test = data.read(model.variant)[0], data.split.test
    assert isinstance(reader, Scaling)
    (features,), skipped = data.inputs(model.variant, test), data.skipped[test]
    importance = charts.permutation_importance(
        lambda shuffled: model.probability((shuffled,)), features, list(reader.mean), skipped, run.seed, run.progress
    )
    probabilities = {variant: made.probability for variant, made in predictions.items()}
    return charts.panels(data.log.plays.filter(test), probabilities, {model.variant: importance})
