"""What the skip models of all variants have in common."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from scipy.special import expit, logit

from pozytywka_cli.artifacts import Version
from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.skip.features.genre_clusters import GenreClusters
from pozytywka_cli.families.skip.features.genres import Genres
from pozytywka_cli.families.skip.features.past_rate import PastRate
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.reader import Reader
from pozytywka_cli.families.skip.features.scaling import Scaling
from pozytywka_cli.learning import Tensors

READERS: dict[str, type[Reader]] = {
    "advanced": Scaling,
    "simple": Genres,
    "forest": Genres,
    "logistic": Scaling,
    "legacy": GenreClusters,
    "user-rate": PastRate,
    "constant": PastRate,
}


class Model(ABC):
    """A fitted model; the prediction for a row depends on that row and the log alone."""

    variant: str
    reader: Reader

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped, which is predicted for an unknown user.

        Above it a skip is predicted: with calibrated probabilities that gives the highest balanced accuracy.
        """
        return self.reader.skip_rate

    @abstractmethod
    def probability(self, inputs: Tensors) -> Floats:
        """Return the probability of a skip for rows with these inputs: (rows,)."""

    def predict_proba(self, rows: pl.DataFrame, log: PlayLog, inputs: Tensors) -> Floats:
        """Return the probability of a skip for rows, whose inputs are `inputs`: (rows,)."""
        return np.where(self.reader.known(rows, log), self.probability(inputs), self.skip_rate)

    def save(self, folder: Path) -> None:
        """Write the model's files."""
        self.reader.save(folder)

    @classmethod
    @abstractmethod
    def load(cls, version: Version) -> Self:
        """Load the model of a checked version."""


def shifted(score: Floats, skip_rate: float) -> Floats:
    """Return the probability whose log-odds are those of `skip_rate` plus `score`; exactly `skip_rate` at 0."""
    return np.where(score == 0, skip_rate, expit(logit(skip_rate) + score))
