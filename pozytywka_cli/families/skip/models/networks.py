"""Models of several networks, and of a logistic regression beside them: weights, without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file, save_file

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.decoding import decoding
from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.skip.features.genres import GenreClusters, Genres
from pozytywka_cli.families.skip.features.readers import Inputs, Reader, Scaling
from pozytywka_cli.families.skip.models.forward import (
    FeatureNetwork,
    FeatureNetworks,
    GenreNetwork,
    LegacyNetwork,
    Network,
    Regression,
    Weights,
)
from pozytywka_cli.families.skip.models.model import READERS, Model, shifted

WEIGHTS = "weights.safetensors"
MEMBERS: dict[str, list[type[Network]]] = {
    "advanced": [FeatureNetwork] * 3 + [Regression],
    "simple": [GenreNetwork] * 3,
    "logistic": [Regression],
    "legacy": [LegacyNetwork],
}
EMBEDDING, GENRE_UNITS = 16, 32
LEGACY_UNITS = (111, 41)


@dataclass(frozen=True)
class Networks(Model):
    """Networks from different seeds over the same inputs, and perhaps a regression, whose scores are averaged.

    Scores are averaged, not probabilities, so that scores of 0 give the constant to the last bit.
    """

    members: tuple[Network, ...]

    def probability(self, inputs: Inputs) -> Floats:
        """Return the probability of a skip for rows with these inputs: (rows,)."""
        scores = [*self._alike.scores(inputs)] if self._alike.members else []
        scores += [member.score(inputs) for member in self.members if not isinstance(member, FeatureNetwork)]
        return shifted(np.asarray(sum(scores) / len(scores)), self.skip_rate)

    @cached_property
    def _alike(self) -> FeatureNetworks:
        return FeatureNetworks(tuple(member for member in self.members if isinstance(member, FeatureNetwork)))

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors`, and the files of the reader."""
        super().save(folder)
        members = enumerate(self.members)
        weights = {f"{number}.{name}": one for number, member in members for name, one in member.weights.items()}
        save_file(weights, folder / WEIGHTS)

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the model of a checked version."""
        variant, path = version.manifest.variant, version.path(WEIGHTS)
        reader = READERS[variant].load(version)
        with decoding(path):
            return cls(variant, reader, _members(variant, reader, load_file(path)))


def _members(variant: str, reader: Reader, weights: Weights) -> tuple[Network, ...]:
    """Return a variant's members with these weights; a ValueError if they are not finite ones of this model."""
    kinds = MEMBERS[variant]
    if variant == "advanced" and f"{len(kinds) - 1}.linear.bias" not in weights:  # older versions have no regression
        kinds = kinds[:-1]
    expected = [shapes(kind, reader) for kind in kinds]
    named = {f"{number}.{name}": shape for number, one in enumerate(expected) for name, shape in one.items()}
    singles = {name: array.shape for name, array in weights.items() if array.dtype == np.float32}
    if len(singles) < len(weights) or singles != named:
        raise ValueError("its weights are not those of this model")
    if not all(np.isfinite(array).all() for array in weights.values()):
        raise ValueError("some weights are not finite numbers")
    return tuple(
        kind({name: weights[f"{number}.{name}"] for name in one})
        for number, (kind, one) in enumerate(zip(kinds, expected, strict=True))
    )


def shapes(kind: type[Network], reader: Reader) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the weights of a network over a reader's inputs."""
    match reader:
        case Scaling() if kind is Regression:
            return _linear({"linear": (len(reader.mean), 1)})
        case Scaling():
            features = len(reader.mean)
            deep = enumerate(pairwise([features, *units(reader), 1]))
            return _linear({f"deep.{3 * layer}": sizes for layer, sizes in deep} | {"linear": (features, 1)})
        case Genres():
            layers = _linear({"deep.0": (3 * EMBEDDING, GENRE_UNITS), "deep.3": (GENRE_UNITS, 1)})
            return layers | {"embedding.weight": (len(reader.vocabulary) + 2, EMBEDDING)}
        case GenreClusters():
            first, second = LEGACY_UNITS
            tables = {f"{side}.weight": (reader.count + 1, first) for side in ("user", "artist")}
            return _linear({"deep.2": (first, second), "deep.5": (second, 1)}) | tables | {"bias": (first,)}
    raise TypeError(f"there is no network for {type(reader).__name__}")


def units(reader: Scaling) -> list[int]:
    """Return the number of units in each hidden layer of the network over features."""
    return [max(reader.width >> layer, 1) for layer in range(reader.layers)]


def _linear(sizes: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the weights of linear layers, whose inputs and outputs are given."""
    weights = {f"{name}.weight": (outputs, inputs) for name, (inputs, outputs) in sizes.items()}
    return weights | {f"{name}.bias": (outputs,) for name, (_, outputs) in sizes.items()}
