"""What `advanced` and `logistic` read: the features, standardised as they were at training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import polars as pl
import torch

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.skip.features import PARAMETERS
from pozytywka_cli.families.skip.features.history import Flags, Floats, known_users
from pozytywka_cli.families.skip.features.play_features import Fitted, features, fit
from pozytywka_cli.files import indented_json
from pozytywka_cli.learning import Tensors
from pozytywka_cli.families.skip.settings import SkipSettings

CLIP = 5.0
DIGITS = 4  # of a value that is shown: 32-bit numbers have few more to give


class Scaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the features were fitted with, and each one's mean and standard deviation over training plays.

    `layers` and `width` are the shape of the network that reads them.
    """

    fitted: Fitted
    mean: dict[str, float]
    deviation: dict[str, float]
    layers: int = 2
    width: int = 64

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped."""
        return self.fitted.skip_rate

    @classmethod
    def prepare(cls, dataset: Dataset, training: Flags, settings: SkipSettings) -> tuple[Self, Tensors]:
        """Fit everything on the `training` plays (flags of `dataset.plays`), and read all plays."""
        fitted = fit(dataset.plays.filter(training), dataset.tracks, settings.smoothing)
        frame = features(dataset.plays, dataset, fitted)
        known = frame.filter(training).cast(pl.Float64)
        mean, deviation = ({c.name: c.item() or 0.0 for c in row} for row in (known.mean(), known.std(ddof=0)))
        deviation = {name: value or 1.0 for name, value in deviation.items()}
        standard = cls(fitted, mean, deviation, settings.layers, settings.width)
        return standard, standard._scaled(frame)

    def inputs(self, asked: pl.DataFrame, dataset: Dataset) -> Tensors:
        """The standardised features of each asked row: (asked, features)."""
        return self._scaled(features(asked, dataset, self.fitted))

    def known(self, asked: pl.DataFrame, dataset: Dataset) -> Flags:
        """Which rows' users are in the log or in the users table, with or without plays: (asked,)."""
        return known_users(asked, dataset)

    def without(self, inputs: Tensors) -> Iterator[tuple[str, Floats | None, Tensors]]:
        """Each feature's name, its value in each row (four decimals), and the inputs in which it lies at its mean."""
        (scaled,) = inputs
        for number, (name, mean) in enumerate(self.mean.items()):
            ablated = scaled.clone()
            ablated[:, number] = 0
            value = scaled[:, number].double().numpy() * self.deviation[name] + mean
            yield name, value.round(DIGITS), (ablated,)

    def _scaled(self, frame: pl.DataFrame) -> Tensors:
        """Standardised and clipped; an unknown attribute lies at its mean."""
        mean, deviation = (np.array(list(values.values()), np.float32) for values in (self.mean, self.deviation))
        # not by polars: it divides a column by a number in another way than one value, which shows in the last bit
        scaled = (frame.select(*self.mean).to_numpy() - mean) / deviation
        scaled = np.nan_to_num(np.clip(scaled, -CLIP, CLIP, out=scaled), copy=False)
        return (torch.from_numpy(np.ascontiguousarray(scaled)),)

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        (folder / PARAMETERS).write_bytes(indented_json(self))

    @classmethod
    def load(cls, version: Version) -> Self:
        """What a checked version's model reads."""
        return msgspec.json.decode((version.folder / PARAMETERS).read_bytes(), type=cls)
