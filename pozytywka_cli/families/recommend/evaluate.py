"""Evaluation: all variants on the last days, for new tracks, all tracks and the next one; variety and skips."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import (
    ANYTHING,
    SHARE,
    Floats,
    Ints,
    Limits,
    differences,
    interval,
    mean_interval,
)
from pozytywka_cli.families.family import Evaluated, TrainingRun
from pozytywka_cli.families.recommend import FAMILY, charts
from pozytywka_cli.families.recommend.features.history import DAY, Profile
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.features.tracks import Tracks
from pozytywka_cli.families.recommend.fitting import MEASURED, accuracies, fit_skips, lists, rankers
from pozytywka_cli.families.recommend.metrics import (
    ACCURACY,
    HEADLINE,
    SHOWN,
    VARIETY,
    Facts,
    accuracy,
    coverage,
    reciprocal_ranks,
    variety,
)
from pozytywka_cli.families.recommend.models.completion import Completion
from pozytywka_cli.families.recommend.models.lists import Ranker, Wish
from pozytywka_cli.families.recommend.settings import RecommendSettings
from pozytywka_cli.families.recommend.splits import split
from pozytywka_cli.families.recommend.train import NEW_TRACKS, summary
from pozytywka_cli.families.recommend.validation import choose
from pozytywka_cli.records import Row

ALL_TRACKS, NEXT_TRACK, VARIED, SKIPS = "all tracks", "next track", "variety", "skips"  # further protocols
DIVERSITY, TAIL = 0.2, 4  # of a list of 20 by default
NEXT_PLAYS = 1000  # that the next track is predicted for, drawn
PLAYED = "what was played"
MOST_WEIGHT = 10.0  # of a play in the weighted skip rate
