"""The inputs of `advanced` and `logistic`: the features of a play, standardised with the statistics of training."""

from collections.abc import Iterator
from typing import Self

import numpy as np
import polars as pl
import torch

from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.families.skip.features.play_features import FeatureParameters, PlayFeatures, fit_parameters
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.reader import Reader, ReadInputs
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.learning import Tensors

CLIP = 5.0
DIGITS = 4  # of a value that is shown: 32-bit numbers are hardly more precise


class Scaling(Reader, frozen=True, forbid_unknown_fields=True):
    """Computes features, standardised with the mean and the standard deviation of each one over the training plays.

    `layers` and `width` are the shape of the network that takes them.
    """

    fitted: FeatureParameters
    mean: dict[str, float]
    deviation: dict[str, float]
    layers: int = 2
    width: int = 64

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped."""
        return self.fitted.skip_rate

    @classmethod
    def prepare(cls, log: PlayLog, training: Flags, settings: SkipSettings) -> tuple[Self, Tensors]:
        """Fit everything on the `training` plays, (plays,), and compute the inputs of all plays."""
        fitted = fit_parameters(log.plays.filter(training), log.dataset.tracks, settings.smoothing)
        features = PlayFeatures(log, fitted)(log.plays)
        known = features.filter(training).cast(pl.Float64)
        mean, deviation = ({c.name: c.item() or 0.0 for c in row} for row in (known.mean(), known.std(ddof=0)))
        deviation = {name: value or 1.0 for name, value in deviation.items()}
        scaling = cls(fitted, mean, deviation, settings.layers, settings.width)
        return scaling, scaling._scaled(features)

    def open(self, log: PlayLog) -> ReadInputs:
        """Return a function from rows to their standardised features, (rows, features)."""
        features = PlayFeatures(log, self.fitted)
        return lambda rows: self._scaled(features(rows))

    def without(self, inputs: Tensors) -> Iterator[tuple[str, Floats | None, Tensors]]:
        """Yield each feature's name, its values (four decimals), and the inputs with its mean in its place."""
        (scaled,) = inputs
        for number, (name, mean) in enumerate(self.mean.items()):
            ablated = scaled.clone()
            ablated[:, number] = 0
            value = scaled[:, number].double().numpy() * self.deviation[name] + mean
            yield name, value.round(DIGITS), (ablated,)

    def _scaled(self, features: pl.DataFrame) -> Tensors:
        """Standardise and clip; an unknown attribute has its mean."""
        mean, deviation = (np.array(list(values.values()), np.float32) for values in (self.mean, self.deviation))
        # not by polars: it divides a column by a number in another way than one value, which shows in the last bit
        scaled = (features.select(*self.mean).to_numpy() - mean) / deviation
        scaled = np.nan_to_num(np.clip(scaled, -CLIP, CLIP, out=scaled), copy=False)
        return (torch.from_numpy(np.ascontiguousarray(scaled)),)
