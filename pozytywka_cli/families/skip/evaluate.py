"""The skip models beside their baselines: none sees anything later than the start of the play it judges."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.skip import BASELINES, VARIANTS, card, charts
from pozytywka_cli.families.skip.charts import permutation_importance
from pozytywka_cli.families.skip.features.history import canonical
from pozytywka_cli.families.skip.features.scaling import Standard
from pozytywka_cli.families.skip.fit import learn
from pozytywka_cli.families.skip.metrics import Answers, figures, gains
from pozytywka_cli.families.skip.models.baselines import Model
from pozytywka_cli.families.skip.models.model import Networks
from pozytywka_cli.families.skip.network_fitting import Learned
from pozytywka_cli.families.skip.splits import Split, time_split, user_splits
from pozytywka_cli.families.skip.training_data import TrainingData, of
from pozytywka_cli.records import Evaluated, Panel, Report, Row
from pozytywka_cli.settings import SkipSettings


def evaluate(dataset: Dataset, settings: SkipSettings, *, seed: int, device: str, report: Report) -> Evaluated:
    """Every metric of every variant by both protocols: the last fifth of the log's time, and five folds by user.

    Raises:
        RefusedError: fewer than 100 plays or 2 users, or plays that all went the same way.
    """
    dataset = replace(dataset, plays=canonical(dataset.plays))
    training_data = TrainingData(dataset, time_split(dataset.plays), settings)
    found = learned(training_data, seed=seed, device=device, report=report)
    test = dataset.plays.filter(training_data.split.test)
    by_time = {variant: training_data.answers(one.model) for variant, one in found.items()}
    rows, notes = table("time", test, by_time), noted("time", [said(found)])
    panels = partial(drawn, training_data, found[VARIANTS[0]].model, by_time, seed=seed, report=report)
    try:
        splits = user_splits(dataset.plays)
    except RefusedError as error:
        return Evaluated(rows, panels, [*notes, f"skip is measured by time only: {error.message}"])
    by_user, said_by_user = tested(dataset, splits, settings, seed=seed, device=device, report=report)
    return Evaluated(rows + table("user", dataset.plays, by_user), panels, notes + noted("user", said_by_user))


def drawn(
    training_data: TrainingData, model: Model, answers: dict[str, Answers], *, seed: int, report: Report
) -> list[Panel]:
    """The test plays by what was said of them, and what `model`, which reads features, leans on."""
    reader, inputs = training_data.read(model.variant)
    assert isinstance(model, Networks)
    assert isinstance(reader, Standard)
    test = training_data.split.test
    (features,) = of(inputs, test)
    importance = permutation_importance(
        lambda shuffled: model.probability((shuffled,)),
        features,
        list(reader.mean),
        training_data.skipped[test],
        seed=seed,
        report=report,
    )
    probabilities = {variant: given.probability for variant, given in answers.items()}
    return charts.panels(training_data.dataset.plays.filter(test), probabilities, importance)


def learned(training_data: TrainingData, *, seed: int, device: str, report: Report) -> dict[str, Learned]:
    """Every variant, fitted on the training_data's training plays."""
    return {variant: learn(variant, training_data, seed=seed, device=device, report=report) for variant in VARIANTS}


def tested(
    dataset: Dataset, splits: Sequence[Split], settings: SkipSettings, *, seed: int, device: str, report: Report
) -> tuple[dict[str, Answers], list[list[str]]]:
    """What each variant says of every play, (plays,), when the one split that tests it is what it learns from.

    And what is to be said of what was learned from each split.
    """
    found = {variant: Answers(*np.empty((2, len(dataset.plays)))) for variant in VARIANTS}
    notes = []
    for split in splits:
        training_data = TrainingData(dataset, split, settings)
        models = learned(training_data, seed=seed, device=device, report=report)
        notes.append(said(models))
        for variant, one in models.items():
            here = training_data.answers(one.model)
            found[variant].probability[split.test] = here.probability
            found[variant].threshold[split.test] = here.threshold
    return found, notes


def said(models: dict[str, Learned]) -> list[str]:
    """What a reader of the figures should know of the models behind them."""
    constants = [f"{variant}: {card.NO_GAIN}" for variant, one in models.items() if one.constant]
    return [f"{variant}: {note}" for variant, one in models.items() for note in one.notes] + constants


def noted(protocol: str, folds: list[list[str]]) -> list[str]:
    """What was said of the models of a protocol's folds, once each, and of how many of them where there are several."""
    told = Counter(note for notes in folds for note in notes)
    of = f" of {len(folds)} folds" if len(folds) > 1 else ""
    return [f"by {protocol}, {note}" + (f" (in {count}{of})" if of else "") for note, count in told.items()]


def table(protocol: str, plays: pl.DataFrame, answers: dict[str, Answers]) -> list[Row]:
    """The figures of every variant, and what each model gains over the best baseline."""
    rows = [row for variant, given in answers.items() for row in figures(variant, protocol, plays, given)]
    return rows + gains(protocol, plays, answers, BASELINES)
