"""What `advanced` reads: the features, standardised as they were at training."""

from pathlib import Path
from typing import ClassVar, Self

import msgspec
import numpy as np
import polars as pl
import torch
from torch import nn

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.learning import Tensors
from pozytywka_cli.skip.baselines import PARAMETERS, write_json
from pozytywka_cli.skip.features import Fitted, features, fit
from pozytywka_cli.skip.history import Flags
from pozytywka_cli.skip.networks import FeatureNetwork

CLIP = 5.0


class Standard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the features were fitted with, and each one's mean and standard deviation over training plays."""

    variant: ClassVar[str] = "advanced"
    fitted: Fitted
    mean: dict[str, float]
    deviation: dict[str, float]

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped."""
        return self.fitted.skip_rate

    @classmethod
    def prepare(cls, service: Service, training: Flags) -> tuple[Self, Tensors]:
        """Fit everything on the `training` plays (flags of `service.plays`), and read all plays."""
        fitted = fit(service.plays.filter(training), service.tracks)
        frame = features(service.plays, service, fitted)
        known = frame.filter(training).cast(pl.Float64)
        mean, deviation = ({c.name: c.item() or 0.0 for c in row} for row in (known.mean(), known.std(ddof=0)))
        standard = cls(fitted, mean, {name: value or 1.0 for name, value in deviation.items()})
        return standard, standard._scaled(frame)

    def network(self, dropout: float) -> nn.Module:
        """An untrained network over these features."""
        return FeatureNetwork(len(self.mean), dropout)

    def inputs(self, asked: pl.DataFrame, service: Service) -> Tensors:
        """The standardised features of each asked row: (asked, features)."""
        return self._scaled(features(asked, service, self.fitted))

    def known(self, asked: pl.DataFrame, service: Service) -> Flags:
        """All rows: a user without history has features as well."""
        return np.ones(len(asked), np.bool_)

    def _scaled(self, frame: pl.DataFrame) -> Tensors:
        """Standardised and clipped; an unknown attribute lies at its mean."""
        mean, deviation = (np.array(list(values.values()), np.float32) for values in (self.mean, self.deviation))
        # not by polars: it divides a column by a number in another way than one value, which shows in the last bit
        scaled = (frame.select(*self.mean).to_numpy() - mean) / deviation
        scaled = np.nan_to_num(np.clip(scaled, -CLIP, CLIP, out=scaled), copy=False)
        return (torch.from_numpy(np.ascontiguousarray(scaled)),)

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        write_json(folder / PARAMETERS, self)

    @classmethod
    def load(cls, version: Version) -> Self:
        """What a checked version's model reads."""
        return msgspec.json.decode((version.folder / PARAMETERS).read_bytes(), type=cls)
