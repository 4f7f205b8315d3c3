"""The forward passes of fitted networks in numpy: all that a prediction takes. Torch is for training alone."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.skip.features.readers import Inputs

Weights = Mapping[str, NDArray[np.float32]]

ROWS = 32  # of every product of matrices: one of another size may add in another order, which shows in the last bits
CHUNK = 16 * ROWS  # at a time: so their arrays stay in a processor's cache


@dataclass(frozen=True)
class Network(ABC):
    """Fitted weights, by the names that they have in the torch module of the same kind."""

    weights: Weights

    @cached_property
    def double(self) -> dict[str, Floats]:
        """The weights in double precision."""
        return {name: array.astype(np.float64) for name, array in self.weights.items()}

    def score(self, inputs: Inputs) -> Floats:
        """Return the score of each row, the log-odds of a skip minus those of all plays: (rows,).

        It depends neither on the other rows nor on the number of threads: all products of matrices have as many rows,
        too few for a library to divide them among threads. Of layers with thousands of weights it still divides some,
        which changes the last bits of the double result, and is rounded away.
        """
        scores = np.empty(len(inputs[0]), np.float32)
        for start in range(0, len(scores), CHUNK):
            part = [array[start : start + CHUNK] for array in inputs]
            scores[start : start + CHUNK] = self._pass(*map(_padded, part))[: len(part[0])]
        return scores.astype(np.float64)

    @abstractmethod
    def _pass(self, *inputs: NDArray[Any]) -> Floats:
        """Return the score of each row, (rows,); `rows` is a multiple of `ROWS`."""

    def _linear(self, name: str, inputs: Floats) -> Floats:
        """Return the outputs of a linear layer, (rows, units), from (rows, inputs)."""
        weight = self.double[f"{name}.weight"]
        products = inputs.reshape(-1, ROWS, inputs.shape[1]) @ weight.T
        return products.reshape(len(inputs), len(weight)) + self.double[f"{name}.bias"]

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
        hidden = features = inputs[0].astype(np.float64)
        layers = sum(name.startswith("deep.") for name in self.weights) // 2 - 1  # weights and biases, without the last
        for layer in range(layers):
            hidden = _silu(self._linear(f"deep.{3 * layer}", hidden))
        return (self._linear(f"deep.{3 * layers}", hidden) + self._linear("linear", features))[:, 0]


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
    with np.errstate(over="ignore"):  # a number divided by infinity is the 0 that is meant
        return np.asarray(values / (1 + np.exp(-values)))


def _padded(rows: NDArray[Any]) -> NDArray[Any]:
    """Repeat the last row until the number of rows is a multiple of `ROWS`."""
    missing = -len(rows) % ROWS
    return np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)]) if missing else rows
