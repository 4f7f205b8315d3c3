"""The skip models beside their baselines: none sees anything later than the start of the play it judges."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from pozytywka_cli.dataset.service import Service
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.records import Evaluated, Panel, Report, Row
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.skip import BASELINES, VARIANTS, pictures, words
from pozytywka_cli.skip.fitting import Learned
from pozytywka_cli.skip.inputs.history import canonical
from pozytywka_cli.skip.inputs.standard import Standard
from pozytywka_cli.skip.learn import learn
from pozytywka_cli.skip.lesson import Lesson, of
from pozytywka_cli.skip.measure import Answers, figures, gains
from pozytywka_cli.skip.models.baselines import Model
from pozytywka_cli.skip.models.model import Networks
from pozytywka_cli.skip.pictures import permutation_importance
from pozytywka_cli.skip.split import Split, time_split, user_splits


def evaluate(service: Service, settings: SkipSettings, *, seed: int, device: str, report: Report) -> Evaluated:
    """Every metric of every variant by both protocols: the last fifth of the log's time, and five folds by user.

    Raises:
        RefusedError: fewer than 100 plays or 2 users, or plays that all went the same way.
    """
    service = replace(service, plays=canonical(service.plays))
    lesson = Lesson(service, time_split(service.plays), settings)
    found = learned(lesson, seed=seed, device=device, report=report)
    test = service.plays.filter(lesson.split.test)
    by_time = {variant: lesson.answers(one.model) for variant, one in found.items()}
    rows, notes = table("time", test, by_time), noted("time", [said(found)])
    panels = partial(drawn, lesson, found[VARIANTS[0]].model, by_time, seed=seed, report=report)
    try:
        splits = user_splits(service.plays)
    except RefusedError as error:
        return Evaluated(rows, panels, [*notes, f"skip is measured by time only: {error.message}"])
    by_user, said_by_user = tested(service, splits, settings, seed=seed, device=device, report=report)
    return Evaluated(rows + table("user", service.plays, by_user), panels, notes + noted("user", said_by_user))


def drawn(lesson: Lesson, model: Model, answers: dict[str, Answers], *, seed: int, report: Report) -> list[Panel]:
    """The test plays by what was said of them, and what `model`, which reads features, leans on."""
    reader, inputs = lesson.read(model.variant)
    assert isinstance(model, Networks)
    assert isinstance(reader, Standard)
    test = lesson.split.test
    (features,) = of(inputs, test)
    importance = permutation_importance(
        lambda shuffled: model.probability((shuffled,)),
        features,
        list(reader.mean),
        lesson.skipped[test],
        seed=seed,
        report=report,
    )
    probabilities = {variant: given.probability for variant, given in answers.items()}
    return pictures.panels(lesson.service.plays.filter(test), probabilities, importance)


def learned(lesson: Lesson, *, seed: int, device: str, report: Report) -> dict[str, Learned]:
    """Every variant, fitted on the lesson's training plays."""
    return {variant: learn(variant, lesson, seed=seed, device=device, report=report) for variant in VARIANTS}


def tested(
    service: Service, splits: Sequence[Split], settings: SkipSettings, *, seed: int, device: str, report: Report
) -> tuple[dict[str, Answers], list[list[str]]]:
    """What each variant says of every play, (plays,), when the one split that tests it is what it learns from.

    And what is to be said of what was learned from each split.
    """
    found = {variant: Answers(*np.empty((2, len(service.plays)))) for variant in VARIANTS}
    notes = []
    for split in splits:
        lesson = Lesson(service, split, settings)
        models = learned(lesson, seed=seed, device=device, report=report)
        notes.append(said(models))
        for variant, one in models.items():
            here = lesson.answers(one.model)
            found[variant].probability[split.test] = here.probability
            found[variant].threshold[split.test] = here.threshold
    return found, notes


def said(models: dict[str, Learned]) -> list[str]:
    """What a reader of the figures should know of the models behind them."""
    constants = [f"{variant}: {words.NO_GAIN}" for variant, one in models.items() if one.constant]
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
