"""A map of the artists heard most: near each other are those that the same people listen to."""

from unicodedata import east_asian_width

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.similar.models.factors import Factors
from pozytywka_cli.records import Panel

SHOWN = 300
LONGEST = 40  # code points of a name that are shown
FONT = (12.0, 22.0)  # pixels, of the fewest listeners shown and of the most
LINE = 1.25  # the height of a word and the gap above it, in font sizes
ROOM = 3.0  # times the area of all words that they are first spread over
SHAPE = 1.5  # the width of that area over its height
GROWTH = 1.001  # of all distances in each round of pushing words apart
MOST_ROUNDS = 20_000  # of it, in which distances grow 480 million times: a few hundred are enough for 300 names
SLACK = 0.5  # pixels that are left between two words that were pushed
ALIKE = 1e-6  # between entries of directions: what rounding makes of one
PERPLEXITY = 30.0  # scikit-learn's default: how many neighbours an artist is placed by
WIDTHS = {**dict.fromkeys(" .,'!:;|fijlrtI-", 0.36), **dict.fromkeys("mwMW&@%+", 0.95)}  # of sans-serif, in font sizes
MEND = "Let an als version serve: `pozytywka train similar`, or `pozytywka models promote`."

Floats = NDArray[np.float64]


def panel(artists: Factors) -> Panel:
    """The names of the 300 artists with the most listeners, in pixels, so that none covers another.

    Raises:
        RefusedError: the model, like popularity, knows no likeness, or fewer than three artists.
    """
    shown = min(SHOWN, len(artists.listeners))
    if artists.factors.shape[1] < 2 or shown < 3:
        raise RefusedError(
            "there is no map of a model that knows no likeness, or fewer than three artists",
            MEND,
        )
    titles = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in artists.names.take(range(shown))]
    heard = np.sqrt(artists.listeners[:shown])
    sizes = np.interp(heard, [heard.min(), heard.max() + 1], FONT)
    boxes = np.column_stack([sizes * [width(title) for title in titles], sizes * LINE])
    extent = np.sqrt(ROOM * boxes.prod(axis=1).sum() * np.array([SHAPE, 1 / SHAPE]))
    x, y = apart(projected(artists.factors[:shown]) * extent, boxes).T
    return Panel("", "text", pl.DataFrame({"x": x, "y": y, "text": titles, "size": sizes}), "x", "y")


def projected(factors: NDArray[np.float32]) -> Floats:
    """Two dimensions (artists, 2), 0 to 1, by t-SNE (van der Maaten and Hinton, 2008) on cosine distances.

    Of 300 artists' ten nearest it kept .56 as such, where spectral embedding kept .39, Isomap and MDS .32 and PCA .24.

    Raises:
        RefusedError: all artists lie in the same direction, so that none is nearer than another.
    """
    from sklearn.manifold import TSNE

    if np.ptp(factors, axis=0).max() < ALIKE:  # scikit-learn 1.9 then ends the whole process
        raise RefusedError("there is no map of artists that are all alike", MEND)
    perplexity = min(PERPLEXITY, (len(factors) - 1) / 3)
    method = TSNE(2, metric="cosine", init="pca", perplexity=perplexity, random_state=0)
    found: Floats = method.fit_transform(factors).astype(np.float64)
    low, high = found.min(axis=0), found.max(axis=0)
    places: Floats = (found - low) / np.maximum(high - low, np.finfo(np.float64).eps)
    return places


def apart(centres: Floats, boxes: Floats) -> Floats:
    """Centres of boxes (n, 2) of these widths and heights, moved until no two boxes overlap.

    Two that do are pushed apart, half each, on the axis where less is needed. All the while everything grows a little,
    without which the boxes in the middle of a crowd would push each other to and fro.
    """
    moved, least = centres.copy(), (boxes[:, None] + boxes) / 2
    rows = np.arange(len(boxes))
    sides = np.sign(rows[:, None] - rows)[..., None]  # for two at the same place: the earlier one goes down
    for _ in range(MOST_ROUNDS):
        away = moved[:, None] - moved
        overlap = least - np.abs(away)
        touching = (overlap > 0).all(axis=2, keepdims=True) & (sides != 0)
        if not touching.any():
            break
        shorter = overlap == overlap.min(axis=2, keepdims=True)
        ways = np.where(away == 0, sides, np.sign(away))
        moved = GROWTH * (moved + np.where(touching & shorter, ways * (overlap / 2 + SLACK), 0).sum(axis=1))
    return moved


def width(text: str) -> float:
    """How wide a text is at most, about, in sizes of a sans-serif font."""
    return sum(_width(letter) for letter in text)


def _width(letter: str) -> float:
    if east_asian_width(letter) in "WF":
        return 1.05
    return WIDTHS.get(letter, 0.75 if letter.isupper() else 0.6)
