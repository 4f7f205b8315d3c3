"""A map of the artists with the most listeners; similar ones are close together."""

from unicodedata import east_asian_width

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.catalogue.names import shorten
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.similar.models.factors import Factors
from pozytywka_cli.records import Panel

ARTISTS = 300
MAX_NAME = 40  # code points of a name
FONT = (12.0, 22.0)  # pixels, of the fewest listeners on the map and of the most
LINE = 1.25  # the height of a name with the gap above it, in font sizes
ROOM = 3.0  # the area over which names are first spread, in areas of all names
ASPECT = 1.5  # width of that area over its height
GROWTH = 1.001  # of all distances in each round of separation
MAX_ROUNDS = 20_000  # of it; distances have then grown 480 million times, and a few hundred suffice for 300 names
SLACK = 0.5  # pixels between two names that were pushed apart
MIN_SPREAD = 1e-6  # between entries of directions; less is rounding
PERPLEXITY = 30.0  # of t-SNE: scikit-learn's default
WIDTHS = {**dict.fromkeys(" .,'!:;|fijlrtI-", 0.36), **dict.fromkeys("mwMW&@%+", 0.95)}  # of sans-serif, in font sizes
HINT = "Promote another version: `pozytywka train similar`, or `pozytywka models promote`."


def panel(artists: Factors) -> Panel:
    """Draw the names of the 300 artists with the most listeners, in pixels, so that none overlaps another.

    Raises:
        RefusedError: the model (like popularity and ppmi) has no directions, or fewer than three artists.
        ArtifactError: a file of the model is damaged.
    """
    artists.verify()
    count = min(ARTISTS, len(artists.listeners))
    if artists.factors.shape[1] < 2 or count < 3:
        raise RefusedError("no map: the model has no directions, or fewer than three artists", HINT)
    names = [shorten(name, MAX_NAME) for name in artists.names.take(range(count))]
    roots = np.sqrt(artists.listeners[:count])
    sizes = np.interp(roots, [roots.min(), roots.max() + 1], FONT)
    boxes = np.column_stack([sizes * [width(name) for name in names], sizes * LINE])
    extent = np.sqrt(ROOM * boxes.prod(axis=1).sum() * np.array([ASPECT, 1 / ASPECT]))
    x, y = separated(projected(artists.factors[:count]) * extent, boxes).T
    return Panel("", "text", pl.DataFrame({"x": x, "y": y, "text": names, "size": sizes}), "x", "y")


def projected(factors: NDArray[np.float32]) -> Floats:
    """Project to two dimensions (artists, 2), 0 to 1, by t-SNE (van der Maaten and Hinton, 2008) on cosine distances.

    Of the ten nearest of 300 artists it preserved .56, spectral embedding .39, Isomap and MDS .32, PCA .24.

    Raises:
        RefusedError: all artists have the same direction.
    """
    from sklearn.manifold import TSNE

    if np.ptp(factors, axis=0).max() < MIN_SPREAD:  # scikit-learn 1.9 then ends the whole process
        raise RefusedError("no map: all artists are alike", HINT)
    method = TSNE(2, metric="cosine", init="pca", perplexity=min(PERPLEXITY, (len(factors) - 1) / 3), random_state=0)
    points: Floats = method.fit_transform(factors).astype(np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    scaled: Floats = (points - low) / np.maximum(high - low, np.finfo(np.float64).eps)
    return scaled


def separated(centres: Floats, boxes: Floats) -> Floats:
    """Move the centres (n, 2) of boxes of these widths and heights (n, 2) until no two boxes overlap.

    Two that do are pushed apart, half each, on the axis where less is needed. All distances grow a little in every
    round; without that, boxes in the middle of a crowd would push each other to and fro.
    """
    moved, least = centres.copy(), (boxes[:, None] + boxes) / 2
    rows = np.arange(len(boxes))
    sides = np.sign(rows[:, None] - rows)[..., None]  # of two at the same place, the earlier one goes down
    for _ in range(MAX_ROUNDS):
        away = moved[:, None] - moved
        overlap = least - np.abs(away)
        touching = (overlap > 0).all(axis=2, keepdims=True) & (sides != 0)
        if not touching.any():
            break
        shorter = overlap == overlap.min(axis=2, keepdims=True)
        directions = np.where(away == 0, sides, np.sign(away))
        pushes = np.where(touching & shorter, directions * (overlap / 2 + SLACK), 0)
        moved = GROWTH * (moved + pushes.sum(axis=1))
    return moved


def width(text: str) -> float:
    """Estimate the greatest width of a text, in sizes of a sans-serif font."""
    narrow = (WIDTHS.get(letter, 0.75 if letter.isupper() else 0.6) for letter in text)
    return sum(1.05 if east_asian_width(letter) in "WF" else size for letter, size in zip(text, narrow, strict=True))
