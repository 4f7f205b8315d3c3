"""Which of the default variant and its rivals is trained."""

import numpy as np

from pozytywka_cli import evaluation
from pozytywka_cli.evaluation import Champion
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.metrics import HEADLINE, errors
from pozytywka_cli.families.weekly.models.fit import measure, unavailable
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import Split, split


def choose(divided: Split, run: TrainingRun) -> Champion:
    """Choose between `run.variant` and its rivals by their squared errors on the last of the training weeks.

    These weeks are as many as the test weeks, a third at most. Each of the variants is fitted to the weeks before them,
    so that none is compared on weeks that stopped its training. Rivals with too few weeks for them are left out; with
    too few for the variant itself, it stays.
    """
    settings, past = run.settings_as(WeeklySettings), divided.past
    reasons = {variant: unavailable(variant, len(past.weeks), settings) for variant in (run.variant, *run.rivals)}
    compared = [variant for variant, reason in reasons.items() if not reason]
    if run.variant not in compared or len(compared) == 1:
        return Champion(run.variant, [], [])
    earlier = split(past, settings.test_weeks, settings.horizon)
    squared = {variant: errors(measure(variant, earlier, run)[0], earlier) ** 2 for variant in compared}
    artists = np.repeat(np.arange(len(earlier.truth)), squared[run.variant][0].size)
    values = {variant: one.ravel() for variant, one in squared.items()}
    return evaluation.champion("weekly", HEADLINE, values, run.variant, artists, root=True)
