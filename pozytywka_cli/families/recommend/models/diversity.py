"""Diverse lists: maximal marginal relevance, and a quota of tracks that few play."""

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Flags, Floats, Ints


def diverse(relevance: Floats, similar: NDArray[np.float64], count: int, weight: float) -> Ints:
    """Return the places of `count` candidates by maximal marginal relevance (Carbonell and Goldstein, 1998).

    Each step takes the candidate with the highest (1 - weight) · relevance - weight · the largest similarity to one
    that is taken; relevance is scaled to 0..1. With weight 0 that is the order of relevance, and of equals the first.

    relevance: (candidates,); similar: (candidates, candidates), 0..1
    """
    if weight == 0:
        return np.argsort(-relevance, kind="stable")[:count]
    spread = float(np.ptp(relevance)) if len(relevance) else 0.0
    value = (1 - weight) * ((relevance - relevance.min(initial=np.inf)) / spread if spread > 0 else relevance * 0.0)
    nearest = np.zeros(len(relevance))
    taken: list[int] = []
    for _ in range(min(count, len(relevance))):
        best = int(np.argmax(value - weight * nearest))
        taken.append(best)
        value[best] = -np.inf
        nearest = np.maximum(nearest, similar[best])
    return np.array(taken, dtype=np.int64)


def with_quota(taken: Ints, order: Ints, tail: Flags, quota: int) -> Ints:
    """Return a list with at least `quota` tracks of the tail, as far as there are so many.

    The last of the others are replaced by the best of the tail that are not in the list; the rest keep their places.

    taken, order: places of the list, and of all candidates from best to worst; tail: (candidates,)
    """
    spare = order[tail[order] & ~np.isin(order, taken)]
    others = np.flatnonzero(~tail[taken])[::-1]
    missing = max(0, min(quota - int(tail[taken].sum()), len(spare), len(others)))
    changed = taken.copy()
    changed[np.sort(others[:missing])] = spare[:missing]
    return changed
