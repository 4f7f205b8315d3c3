"""What computes the inputs of models: the base of all readers, the user's rate alone, and all features of a play."""

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.decoding import read_json
from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.families.skip.features.parameters import FeatureParameters, SkipRate
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.files import indented_json
from pozytywka_cli.settings import Count

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.families.skip.features.play_log import PlayLog

PARAMETERS = "model.json"
CLIP = 5.0
DIGITS = 4  # of a value that is shown: 32-bit numbers are hardly more precise

Singles = NDArray[np.float32]
Inputs = tuple[NDArray[Any], ...]  # each with one row for each play or candidate
ReadInputs = Callable[["pl.DataFrame"], Inputs]
Without = Iterator[tuple[str, Floats | None, Inputs]]


class Reader(msgspec.Struct, frozen=True):
    """Computes the inputs of a model; fitted on training plays and saved with the model.

    Rows are plays or candidates: user_id, session_id (null: a new session), track_id, started_at (UTC, µs),
    advertisement_before. The inputs of a row depend on that row and the log alone.
    """

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped."""
        raise NotImplementedError

    @classmethod
    def prepare(cls, log: "PlayLog", training: Flags, settings: SkipSettings) -> tuple[Self, Inputs]:
        """Return a reader fitted on the `training` plays, (plays,), and its inputs for all plays."""
        raise NotImplementedError

    def open(self, log: "PlayLog") -> ReadInputs:
        """Return a function from rows to inputs; everything that does not depend on the rows is computed here."""
        raise NotImplementedError

    def without(self, inputs: Inputs) -> Without:
        """Yield each input's name, its value in each row if it is a number, and the inputs without its information."""
        raise NotImplementedError

    def known(self, rows: "pl.DataFrame", log: "PlayLog") -> Flags:
        """Return which rows' users the inputs tell anything about, by plays or by the users table: (rows,)."""
        return log.knows(rows)

    def save(self, folder: Path) -> None:
        """Write `model.json`, and other files that the reader has."""
        (folder / PARAMETERS).write_bytes(indented_json(self))

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the reader of a checked version."""
        return read_json(version.path(PARAMETERS), cls)


class PastRate(Reader, frozen=True, forbid_unknown_fields=True):
    """Computes the share of each user's known plays that were skipped, smoothed towards `skip_rate`."""

    skip_rate: SkipRate

    @classmethod
    def prepare(cls, log: "PlayLog", training: Flags, settings: SkipSettings) -> tuple[Self, Inputs]:
        """Compute the share of the `training` plays, (plays,), that were skipped, and the rates at all plays."""
        reader = cls(float(log.plays["skipped"].to_numpy()[training].mean()))
        return reader, reader.open(log)(log.plays)

    def open(self, log: "PlayLog") -> ReadInputs:
        """Return a function from rows to their users' rates, (rows,)."""
        from pozytywka_cli.families.skip.features.play_features import user_rate

        return lambda rows: (user_rate(rows, log, self.skip_rate),)

    def without(self, inputs: Inputs) -> Without:
        """Yield the rate, and `skip_rate` in its place."""
        yield "user_rate", inputs[0], (np.full_like(inputs[0], self.skip_rate),)


class Scaling(Reader, frozen=True, forbid_unknown_fields=True, dict=True):
    """Computes features, standardised with the mean and the standard deviation of each one over the training plays.

    `layers` and `width` are the shape of the networks that take them.
    """

    fitted: FeatureParameters
    mean: dict[str, float]
    deviation: dict[str, float]
    layers: Count = 2
    width: Count = 64

    def __post_init__(self) -> None:
        """Check that every feature has both figures."""
        if self.mean.keys() != self.deviation.keys():
            raise ValueError("`mean` and `deviation` are not of the same features")

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped."""
        return self.fitted.skip_rate

    @classmethod
    def prepare(cls, log: "PlayLog", training: Flags, settings: SkipSettings) -> tuple[Self, Inputs]:
        """Fit everything on the `training` plays, (plays,), and compute the inputs of all plays."""
        import polars as pl

        from pozytywka_cli.families.skip.features.play_features import PlayFeatures

        fitted = FeatureParameters.fit(log.plays.filter(training), log.dataset.tracks, settings.smoothing)
        features = PlayFeatures(log, fitted)(log.plays)
        known = features.filter(training).cast(pl.Float64)
        mean, deviation = ({c.name: c.item() or 0.0 for c in row} for row in (known.mean(), known.std(ddof=0)))
        deviation = {name: value or 1.0 for name, value in deviation.items()}
        scaling = cls(fitted, mean, deviation, settings.layers, settings.width)
        return scaling, scaling._scaled(features)

    def open(self, log: "PlayLog") -> ReadInputs:
        """Return a function from rows to their standardised features, (rows, features)."""
        from pozytywka_cli.families.skip.features.play_features import PlayFeatures

        features = PlayFeatures(log, self.fitted)
        return lambda rows: self._scaled(features(rows))

    def without(self, inputs: Inputs) -> Without:
        """Yield each feature's name, its values (four decimals), and the inputs with its mean in its place."""
        (scaled,) = inputs
        for number, (name, mean) in enumerate(self.mean.items()):
            ablated = scaled.copy()
            ablated[:, number] = 0
            value = scaled[:, number].astype(np.float64) * self.deviation[name] + mean
            yield name, value.round(DIGITS), (ablated,)

    def _scaled(self, features: "pl.DataFrame") -> Inputs:
        return self.scaled(features.select(*self.mean).to_numpy())

    def scaled(self, features: NDArray[np.float32]) -> Inputs:
        """Standardise and clip the features in `mean`, (rows, features); an unknown attribute has its mean."""
        mean, deviation = self._figures
        # not by polars: it divides a column by a number in another way than one value, which shows in the last bit
        scaled = np.ascontiguousarray((features - mean) / deviation)
        np.minimum(np.maximum(scaled, -CLIP, out=scaled), CLIP, out=scaled)
        scaled[np.isnan(scaled)] = 0
        return (scaled,)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the features, in the order of the inputs."""
        return tuple(self.mean)

    @cached_property
    def _figures(self) -> tuple[Singles, Singles]:
        mean, deviation = (np.array([*values.values()], np.float32) for values in (self.mean, self.deviation))
        return mean, deviation
