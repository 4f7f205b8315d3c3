"""The plain answer, a constant, and what every skip model can do."""

from pathlib import Path
from typing import ClassVar, Protocol

import msgspec
import numpy as np
import polars as pl
from scipy.special import expit, logit

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.files import indented_json
from pozytywka_cli.skip.history import Floats

PARAMETERS = "model.json"


class Model(Protocol):
    """What every skip model can do; each row's answer depends on that row and the log alone."""

    @property
    def variant(self) -> str:
        """Its name."""

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped."""

    def predict_proba(self, asked: pl.DataFrame, service: Service) -> Floats:
        """The probability that each asked row (see `features.features`) is skipped: (asked,)."""

    def save(self, folder: Path) -> None:
        """Write the model's files."""


class Constant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of training plays that were skipped, whoever plays what."""

    variant: ClassVar[str] = "constant"
    skip_rate: float

    def predict_proba(self, asked: pl.DataFrame, service: Service) -> Floats:
        """The same probability for each asked row: (asked,)."""
        return shifted(np.zeros(len(asked)), self.skip_rate)

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        write_json(folder / PARAMETERS, self)

    @classmethod
    def load(cls, version: Version) -> "Constant":
        """The model of a checked version."""
        return msgspec.json.decode((version.folder / PARAMETERS).read_bytes(), type=cls)


def shifted(score: Floats, skip_rate: float) -> Floats:
    """The probability whose log-odds lie `score` above those of `skip_rate`: a score of zero is the constant."""
    return np.asarray(expit(logit(skip_rate) + score))


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON."""
    path.write_bytes(indented_json(value))
