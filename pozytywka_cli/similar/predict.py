"""The lookup: from a name to an artist, from an artist to the most similar ones."""

from dataclasses import dataclass

import numpy as np

from pozytywka_cli.artifacts import Version
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.similar import names
from pozytywka_cli.similar.model import Factors

CUTOFF = 0.6


@dataclass(frozen=True)
class Match:
    """The artist that a query means; `exact` unless the spelling had to be guessed."""

    query: str
    matched: str
    index: int
    exact: bool


@dataclass(frozen=True)
class Neighbour:
    """A similar artist; `score` is a cosine, -1 to 1."""

    name: str
    id: str
    score: float


class Lookup:
    """The artists of a version."""

    def __init__(self, artists: Factors) -> None:
        self._artists = artists

    @classmethod
    def open(cls, version: Version) -> "Lookup":
        """Open a saved version.

        Raises:
            ArtifactError: a file is missing or damaged.
        """
        return cls(Factors.load(version))

    def find(self, name: str) -> Match:
        """The artist with this name: literally, else but for case, diacritics and punctuation, else but for typos.

        Of several the one with the most listeners. A typo is an optimal string alignment similarity of at least .6.

        Raises:
            RefusedError: nothing is that near.
        """
        index = self._artists.names.find(name)
        if index is None:
            index = self._artists.keys.find(names.key(name))
        if index is not None:
            return Match(name, self._artists.names[index], index, exact=True)
        nearest = names.nearest(names.key(name), self._artists.keys.list())
        if nearest[0][1] >= CUTOFF:
            index = nearest[0][0]
            return Match(name, self._artists.names[index], index, exact=False)
        raise RefusedError(
            f'no artist is called "{name}"', names.suggestion([self._artists.names[index] for index, _ in nearest])
        )

    def by_id(self, artist_id: str) -> Match:
        """The artist with this id.

        Raises:
            RefusedError: none has it.
        """
        index = self._artists.ids.find(artist_id)
        if index is None:
            nearest = names.nearest(artist_id, self._artists.ids.list())
            raise RefusedError(
                f'no artist has the id "{artist_id}"',
                names.suggestion([self._artists.ids[index] for index, _ in nearest]),
            )
        return Match(artist_id, self._artists.names[index], index, exact=True)

    def similar(self, match: Match, n: int) -> list[Neighbour]:
        """The `n` most similar artists (fewer where there are no more), without the match itself, best first."""
        scores = self._artists.factors @ self._artists.factors[match.index]
        scores[match.index] = -np.inf
        n = min(n, len(scores) - 1)
        if n < 1:
            return []
        # every artist that ties with the last one kept, so that the stable sort decides by listeners, then id
        found = np.flatnonzero(scores >= np.partition(scores, -n)[-n])
        best = found[np.argsort(-scores[found], kind="stable")][:n]
        return [Neighbour(self._artists.names[row], self._artists.ids[row], float(scores[row])) for row in best]
