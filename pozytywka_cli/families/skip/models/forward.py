"""The forward passes of fitted networks in numpy: all that a prediction takes. Torch is for training alone."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.skip.features.logistic import LARGEST
from pozytywka_cli.families.skip.features.readers import Inputs

Weights = Mapping[str, NDArray[np.float32]]

CHUNK = 512  # rows at a time: so their arrays stay in a processor's cache


def rounded(compute: Callable[..., Floats], inputs: Inputs) -> Floats:
    """Return what a function computes of some rows at a time, in single precision: (…, rows).

    It depends neither on the other rows nor on the number of threads: each row is multiplied by itself, for a product
    of several may add in another order, which shows in the last bits. Of layers with thousands of weights a library
    still divides some among threads, which changes the last bits of the double result, and is rounded away.
    """
    starts = range(0, max(len(inputs[0]), 1), CHUNK)
    parts = [compute(*(array[start : start + CHUNK] for array in inputs)) for start in starts]
    return np.concatenate(parts, axis=-1).astype(np.float32).astype(np.float64)


@dataclass(frozen=True)
class Network(ABC):
    """Fitted weights, by the names that they have in the torch module of the same kind."""

    weights: Weights

    @cached_property
    def double(self) -> dict[str, Floats]:
        """The weights in double precision."""
        return {name: array.astype(np.float64) for name, array in self.weights.items()}

    def score(self, inputs: Inputs) -> Floats:
        """Return the score of each row, the log-odds of a skip minus those of all plays: (rows,); see `rounded`."""
        return rounded(self._pass, inputs)

    @abstractmethod
    def _pass(self, *inputs: NDArray[Any]) -> Floats:
        """Return the score of each row: (rows,)."""

    def _linear(self, name: str, inputs: Floats) -> Floats:
        """Return the outputs of a linear layer, (rows, units), from (rows, inputs)."""
        return np.asarray((inputs[:, None] @ self.double[f"{name}.weight"].T)[:, 0] + self.double[f"{name}.bias"])

    def _sum(self, table: str, numbers: NDArray[np.int32]) -> Floats:
        """Return the sum of the rows of a table with these numbers, (rows, columns), from (rows, any width)."""
        rows = self.double[f"{table}.weight"]
        # one after the other: that of padding is 0, so the sum does not depend on the width
        return np.asarray(sum(rows[column] for column in numbers.T))


class Regression(Network):
    """A logistic regression over standardised features."""

    def _pass(self, *inputs: NDArray[Any]) -> Floats:
        (features,) = inputs
        return self._linear("linear", features.astype(np.float64))[:, 0]


class FeatureNetwork(Network):
    """Layers of SiLU units over standardised features, plus a linear connection."""

    def _pass(self, *inputs: NDArray[Any]) -> Floats:
        scores: Floats = FeatureNetworks((self,)).compute(*inputs)[0]
        return scores


@dataclass(frozen=True)
class FeatureNetworks:
    """Networks of one shape, whose layers are computed together, each as if it were alone."""

    members: tuple[FeatureNetwork, ...]

    def scores(self, inputs: Inputs) -> Floats:
        """Return the score of each row by each network: (networks, rows)."""
        return rounded(self.compute, inputs)

    def compute(self, features: NDArray[np.float32]) -> Floats:
        """Return the same before it is rounded."""
        rows = features.astype(np.float64)[:, None]
        *layers, (last, last_bias), (linear, linear_bias) = self._layers
        hidden = rows
        for weight, bias in layers:
            hidden = _silu(hidden @ weight + bias)
        return np.asarray((hidden @ last + last_bias + (rows @ linear + linear_bias))[:, :, 0, 0])

    @cached_property
    def _layers(self) -> list[tuple[Floats, Floats]]:
        """Weights and biases of each layer, the linear connection at last: (networks, 1, inputs or 1, units)."""
        deep = sum(name.startswith("deep.") for name in self.members[0].weights) // 2
        layers = []
        for name in (*(f"deep.{3 * layer}" for layer in range(deep)), "linear"):
            weight, bias = (
                np.stack([member.double[f"{name}.{kind}"] for member in self.members])[:, None]
                for kind in ("weight", "bias")
            )
            layers.append((weight.swapaxes(2, 3), bias[:, :, None]))
        return layers


class GenreNetwork(Network):
    """Mean embeddings of the user's and the artist's genres, and their product, into SiLU units."""

    def _pass(self, *inputs: NDArray[Any]) -> Floats:
        user, artist = (self._sum("embedding", numbers) / (numbers > 0).sum(1, keepdims=True) for numbers in inputs)
        pooled = np.concatenate([user, artist, user * artist], axis=1)
        return self._linear("deep.3", _silu(self._linear("deep.0", pooled)))[:, 0]


class LegacyNetwork(Network):
    """The old system's two layers of ReLU units over the genre clusters of user and artist."""

    def _pass(self, *inputs: NDArray[Any]) -> Floats:
        user, artist = inputs
        first = self._sum("user", user) + self._sum("artist", artist) + self.double["bias"]
        second = self._linear("deep.2", np.maximum(first, 0))
        return self._linear("deep.5", np.maximum(second, 0))[:, 0]


def _silu(values: Floats) -> Floats:
    return np.asarray(values / (1 + np.exp(np.minimum(-values, LARGEST))))
