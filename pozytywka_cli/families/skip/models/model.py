"""What the skip models of all variants have in common, and the baselines."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from scipy.special import expit, logit

from pozytywka_cli.artifacts import Version
from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.skip.features.genres import GenreClusters, Genres
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.readers import PastRate, Reader, Scaling
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


@dataclass(frozen=True)
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
    def load(cls, version: Version) -> Self:
        """Load the model of a checked version."""
        variant = version.manifest.variant
        return cls(variant, READERS[variant].load(version))


class Baseline(Model):
    """`user-rate`: the share of the user's known plays that were skipped; `constant`: that of all training plays."""

    def probability(self, inputs: Tensors) -> Floats:
        """Return the rates of the users, or the constant: (rows,)."""
        (rates,) = inputs
        return np.full(len(rates), self.skip_rate) if self.variant == "constant" else np.asarray(rates.numpy())


def shifted(score: Floats, skip_rate: float) -> Floats:
    """Return the probability whose log-odds are those of `skip_rate` plus `score`; exactly `skip_rate` at 0."""
    return np.where(score == 0, skip_rate, expit(logit(skip_rate) + score))
