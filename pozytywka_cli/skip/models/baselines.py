"""The plain answers, a constant and the user's running rate, and what every skip model can do."""

from pathlib import Path
from typing import ClassVar, Protocol

import msgspec
import numpy as np
import polars as pl
from scipy.special import expit, logit

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.files import indented_json
from pozytywka_cli.learning import Tensors
from pozytywka_cli.skip.inputs import PARAMETERS
from pozytywka_cli.skip.inputs.features import user_rate
from pozytywka_cli.skip.inputs.history import Floats


class Model(Protocol):
    """What every skip model can do; each row's answer depends on that row and the log alone."""

    @property
    def variant(self) -> str:
        """Its name."""

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped."""

    def predict_proba(self, asked: pl.DataFrame, service: Service, inputs: Tensors | None = None) -> Floats:
        """The probability that each asked row (see `features.features`) is skipped: (asked,).

        `inputs` is what the model's reader reads of these rows, where that is at hand.
        """

    def save(self, folder: Path) -> None:
        """Write the model's files."""


class Constant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of training plays that were skipped, whoever plays what."""

    variant: ClassVar[str] = "constant"
    skip_rate: float

    def predict_proba(self, asked: pl.DataFrame, service: Service, inputs: Tensors | None = None) -> Floats:
        """The same probability for each asked row: (asked,)."""
        return shifted(np.zeros(len(asked)), self.skip_rate)

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        (folder / PARAMETERS).write_bytes(indented_json(self))

    @classmethod
    def load(cls, version: Version) -> "Constant":
        """The model of a checked version."""
        return msgspec.json.decode((version.folder / PARAMETERS).read_bytes(), type=cls)


class UserRate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of the user's plays that were skipped up to now, whatever is played."""

    variant: ClassVar[str] = "user-rate"
    skip_rate: float

    def predict_proba(self, asked: pl.DataFrame, service: Service, inputs: Tensors | None = None) -> Floats:
        """The running skip rate of each asked row's user, `skip_rate` where nothing is known: (asked,)."""
        return user_rate(asked, service, self.skip_rate)

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        (folder / PARAMETERS).write_bytes(indented_json(self))

    @classmethod
    def load(cls, version: Version) -> "UserRate":
        """The model of a checked version."""
        return msgspec.json.decode((version.folder / PARAMETERS).read_bytes(), type=cls)


def threshold(model: Model) -> float:
    """The probability above which a variant tells a skip: what it gives where it knows nothing.

    For calibrated probabilities that is the share of skips, which makes the balanced accuracy as high as it can be.
    """
    return float(shifted(np.zeros(1), model.skip_rate)[0])


def shifted(score: Floats, skip_rate: float) -> Floats:
    """The probability whose log-odds lie `score` above those of `skip_rate`: a score of zero is the constant."""
    return np.asarray(expit(logit(skip_rate) + score))
