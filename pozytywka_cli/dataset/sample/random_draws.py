"""Array types and random draws that several modules of the sample use."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.str_]

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 22


def ids(rng: np.random.Generator, count: int) -> Texts:
    """Draw `count` identifiers like those of Spotify: 22 base62 characters."""
    return rng.choice(np.array(list(BASE62)), (count, ID_LENGTH)).view(f"U{ID_LENGTH}")[:, 0]


def words(rng: np.random.Generator, choices: Sequence[str], count: int) -> list[str]:
    """Draw `count` times from `choices`, with replacement."""
    return [choices[i] for i in rng.integers(len(choices), size=count)]


def sigmoid(logit: Floats) -> Floats:
    """Return the probability of a logit."""
    return 1.0 / (1.0 + np.exp(-logit))


def pick(rng: np.random.Generator, weights: Floats, ends: Ints, group: Ints) -> Ints:
    """Draw one item for each entry of `group`, in proportion to the weights of that group's items.

    `weights` (items,) holds group after group; the items of group g end before `ends[g]`. Returns rows of `weights`.
    """
    steps = np.concatenate([[0.0], np.cumsum(weights)])
    low, high = steps[np.concatenate([[0], ends[:-1]])], steps[ends]
    drawn = low[group] + (high - low)[group] * rng.random(len(group))
    # rounding may carry a draw just over the end of its group
    rows: Ints = np.minimum(np.searchsorted(steps, drawn, side="right") - 1, ends[group] - 1)
    return rows
