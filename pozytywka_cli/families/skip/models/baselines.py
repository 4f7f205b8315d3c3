"""The baselines: a constant, and the user's skip rate so far."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pozytywka_cli.artifacts import Version
from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.skip.features.past_rate import PastRate
from pozytywka_cli.families.skip.models.model import Model
from pozytywka_cli.learning import Tensors


@dataclass(frozen=True)
class UserRate(Model):
    """The share of the user's known plays that were skipped, whatever is played."""

    reader: PastRate
    variant: str = "user-rate"

    def probability(self, inputs: Tensors) -> Floats:
        """Return the rates of the users: (rows,)."""
        return np.asarray(inputs[0].numpy())

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the model of a checked version."""
        return cls(PastRate.load(version))


@dataclass(frozen=True)
class Constant(UserRate):
    """The share of training plays that were skipped, whoever plays what."""

    variant: str = "constant"

    def probability(self, inputs: Tensors) -> Floats:
        """Return the same probability for every row: (rows,)."""
        return np.full(len(inputs[0]), self.skip_rate)
