"""The plain answers, a constant and the user's running rate, and what every skip model can do."""

from pathlib import Path
from typing import ClassVar, Protocol, Self

import msgspec
import numpy as np
import polars as pl
from scipy.special import expit, logit

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.skip.features import PARAMETERS
from pozytywka_cli.families.skip.features.history import Flags, Floats, known_users
from pozytywka_cli.families.skip.features.play_features import user_rate
from pozytywka_cli.files import indented_json
from pozytywka_cli.learning import Tensors


class Model(Protocol):
    """What every skip model can do; each row's answer depends on that row and the log alone."""

    @property
    def variant(self) -> str:
        """Its name."""

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped, and what an unknown user gets.

        Above it a play is told to be skipped: of calibrated probabilities, that makes the balanced accuracy as high as
        it can be.
        """

    def known(self, asked: pl.DataFrame, dataset: Dataset) -> Flags:
        """Of which rows' users the model can know anything: (asked,)."""

    def predict_proba(self, asked: pl.DataFrame, dataset: Dataset, inputs: Tensors | None = None) -> Floats:
        """The probability that each asked row (see `features.features`) is skipped: (asked,).

        `inputs` is what the model's reader reads of these rows, where that is at hand.
        """

    def save(self, folder: Path) -> None:
        """Write the model's files."""


class Plain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model that reads nothing but the log."""

    skip_rate: float

    def known(self, asked: pl.DataFrame, dataset: Dataset) -> Flags:
        """Which rows' users are in the log or in the users table: (asked,)."""
        return known_users(asked, dataset)

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        (folder / PARAMETERS).write_bytes(indented_json(self))

    @classmethod
    def load(cls, version: Version) -> Self:
        """The model of a checked version."""
        return msgspec.json.decode((version.folder / PARAMETERS).read_bytes(), type=cls)


class Constant(Plain, frozen=True, forbid_unknown_fields=True):
    """The share of training plays that were skipped, whoever plays what."""

    variant: ClassVar[str] = "constant"

    def predict_proba(self, asked: pl.DataFrame, dataset: Dataset, inputs: Tensors | None = None) -> Floats:
        """The same probability for each asked row: (asked,)."""
        return np.full(len(asked), self.skip_rate)


class UserRate(Plain, frozen=True, forbid_unknown_fields=True):
    """The share of the user's plays that were skipped up to now, whatever is played."""

    variant: ClassVar[str] = "user-rate"

    def predict_proba(self, asked: pl.DataFrame, dataset: Dataset, inputs: Tensors | None = None) -> Floats:
        """The running skip rate of each asked row's user, `skip_rate` where nothing is known: (asked,)."""
        return user_rate(asked, dataset, self.skip_rate)


def shifted(score: Floats, skip_rate: float) -> Floats:
    """The probability whose log-odds lie `score` above those of `skip_rate`: a score of zero is that very number."""
    return np.where(score == 0, skip_rate, expit(logit(skip_rate) + score))
