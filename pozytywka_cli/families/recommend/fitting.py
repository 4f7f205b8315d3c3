"""Fit variants to what is known at a moment, and measure their lists by what users played after it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.predictor import Opener
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.features.signals import Signals
from pozytywka_cli.families.recommend.metrics import accuracy
from pozytywka_cli.families.recommend.models.completion import Completion, by_predictor
from pozytywka_cli.families.recommend.models.fit import fit, fit_als
from pozytywka_cli.families.recommend.models.fit_blend import FittedBlend, fit_blend
from pozytywka_cli.families.recommend.models.lists import Ranker, Wish
from pozytywka_cli.families.recommend.models.model import BlendWeights
from pozytywka_cli.families.recommend.settings import RecommendSettings
from pozytywka_cli.families.recommend.splits import Splits
from pozytywka_cli.records import Progress

MEASURED = 100  # tracks of a list


@dataclass(frozen=True)
class Skips:
    """The model of the skip family, fitted to the plays before the validation part, if there is one; else `note`."""

    opener: Opener | None
    note: str = ""

    def at(self, outcomes: Outcomes) -> Completion | None:
        """Return the model with the plays that are known at a moment."""
        if self.opener is None:
            return None
        return Completion(by_predictor(self.opener(outcomes.split.known)), outcomes.history.tracks)


def fit_skips(splits: Splits, run: TrainingRun, variants: Collection[str]) -> Skips:
    """Fit the promoted skip model again, to the plays before the validation part, if one of the variants asks for it.

    Raises:
        RefusedError: `preference` is to be trained, and there is no skip model.
    """
    if not set(FAMILY.asking) & set(variants):
        return Skips(None)
    note = "no skip model is promoted"
    if run.other is not None:
        try:
            return Skips(run.other(splits.validation.known))
        except RefusedError as error:
            note = f"the skip model could not be fitted to the plays before the validation part: {error.message}"
    if run.variant == "preference":
        raise RefusedError(f"recommend preference asks the skip model: {note}", "Train one: `pozytywka train skip`.")
    return Skips(None, f"The probability that a track is played to its end is left out: {note}.")


def blend_at(outcomes: Outcomes, run: TrainingRun, completion: Completion | None, *, stage: str) -> FittedBlend:
    """Fit the blend to what users played after a moment."""
    signals = Signals(outcomes.history, fit_als(outcomes.history, run, stage=stage))
    penalty = run.settings_as(RecommendSettings).penalty
    return fit_blend(outcomes, signals, completion, penalty=penalty, seed=run.seed)


def rankers(
    outcomes: Outcomes,
    run: TrainingRun,
    completion: Completion | None,
    variants: Collection[str],
    blend: BlendWeights | None,
) -> dict[str, Ranker]:
    """Fit variants to the plays before a moment: no `preference` without a skip model, no `blend` without weights."""
    needs = {"preference": completion, "blend": blend}
    possible = [one for one in variants if needs.get(one, True)]
    skips = completion.skips if completion else None
    made, embeddings = {}, None
    for done, variant in enumerate(possible, 1):
        if variant in ("als", "blend") and embeddings is None:
            embeddings = fit_als(outcomes.history, replace(run, variant=variant), stage="fit variants:")
        model, _ = fit(outcomes.history, replace(run, variant=variant), blend, embeddings)
        made[variant] = model.ranker(outcomes.history, lambda: skips)
        run.progress(Progress("fit variants", done, len(possible)))
    return made


def lists(outcomes: Outcomes, ranker: Ranker, rows: Ints, wish: Wish) -> list[Ints]:
    """Return the list of each of these users, rows of the history."""
    profiles = [outcomes.history.profile(row) for row in rows]
    return [one.tracks for one in ranker.lists(profiles, [wish] * len(rows))]


def accuracies(
    outcomes: Outcomes, made: Mapping[str, Ranker], rows: Ints, *, new: bool
) -> dict[str, NDArray[np.float64]]:
    """Return the metrics ACCURACY of the plain lists of each ranker: (users, ACCURACY) by variant."""
    targets = outcomes.targets(new=new)[rows]
    wish = Wish(MEASURED, new)
    return {variant: accuracy(lists(outcomes, ranker, rows, wish), targets) for variant, ranker in made.items()}
