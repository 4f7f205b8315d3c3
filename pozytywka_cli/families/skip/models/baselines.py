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
class Baseline(Model):
    """`user-rate`: the share of the user's known plays that were skipped; `constant`: that of all training plays."""

    variant: str
    reader: PastRate

    def probability(self, inputs: Tensors) -> Floats:
        """Return the rates of the users, or the constant: (rows,)."""
        (rates,) = inputs
        return np.full(len(rates), self.skip_rate) if self.variant == "constant" else np.asarray(rates.numpy())

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the model of a checked version."""
        return cls(version.manifest.variant, PastRate.load(version))
