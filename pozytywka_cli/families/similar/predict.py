"""The lookup: from a name to an artist, from an artist or several to the most similar ones."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.catalogue import fuzzy, names
from pozytywka_cli.errors import ArtifactError, RefusedError
from pozytywka_cli.families.similar.model import Factors


class UnknownError(RefusedError):
    """No artist that a model knows is meant by `query`; `nearest` are what may have been."""

    def __init__(self, query: str, message: str, nearest: Sequence[str], hint: str = "") -> None:
        super().__init__(message, f"{names.suggestion(nearest)} {hint}".rstrip())
        self.query, self.nearest = query, list(nearest)


@dataclass(frozen=True)
class Match:
    """The artist that a query means; `exact` unless the spelling had to be guessed.

    `others` are the ids of artists with fewer listeners whose names have the same key.
    """

    query: str
    matched: str
    index: int
    exact: bool
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Neighbour:
    """A similar artist; `score` is a cosine, -1 to 1."""

    name: str
    id: str
    score: float


@dataclass(frozen=True)
class Answer:
    """What is most similar to the artist, or to the blend of artists, that a query means."""

    query: str
    matched: str
    neighbours: list[Neighbour]

    def rows(self) -> Iterator[dict[str, str | float]]:
        """One for each neighbour."""
        for neighbour in self.neighbours:
            yield {"query": self.query, "matched": self.matched, **asdict(neighbour)}


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
        """The artist with this name but for case, diacritics and punctuation, else but for typos.

        Of several the one with the most listeners. A typo is two letters swapped, else an optimal string alignment
        similarity of at least .6.

        Raises:
            UnknownError: nothing is that near, or the name is that of an artist with too few listeners.
        """
        keys, asked = self._artists.keys, names.key(name)
        if rows := keys.find(asked):
            return self._match(name, rows, exact=True)
        if (listeners := self._artists.rare.listeners(asked)) is not None:
            raise self._unknown(name, asked, listeners)
        if (row := fuzzy.misspelt(keys, asked)) is not None:
            # a damaged table, which is size-checked only where it is large, may not find what stands in it
            return self._match(name, keys.find(keys.strings[row]) or [row], exact=False)
        raise self._unknown(name, asked)

    def by_id(self, artist_id: str) -> Match:
        """The artist with this id.

        Raises:
            UnknownError: none that the model knows has it.
        """
        ids = self._artists.ids
        if rows := ids.find(artist_id):
            return self._match(artist_id, rows, exact=True)
        nearest = ids.strings.take(fuzzy.suggested(ids, [artist_id]))
        raise UnknownError(artist_id, f'the model knows no artist with the id "{names.shown(artist_id)}"', nearest)

    def similar(self, match: Match, n: int) -> list[Neighbour]:
        """The `n` most similar artists (fewer where there are no more), without the match itself, best first."""
        return self._most_similar([match.index], n)

    def answer(self, match: Match, n: int) -> Answer:
        """`similar`, with what was asked."""
        return Answer(match.query, match.matched, self.similar(match, n))

    def blend(self, matches: Sequence[Match], n: int) -> Answer:
        """What lies between several artists: most similar to the mean of their directions, and none of them."""
        query, matched = (" + ".join(parts) for parts in zip(*((m.query, m.matched) for m in matches), strict=True))
        return Answer(query, matched, self._most_similar([match.index for match in matches], n))

    def _match(self, query: str, rows: list[int], *, exact: bool) -> Match:
        first, *others = rows
        return Match(query, self._artists.names[first], first, exact, tuple(self._artists.ids.strings.take(others)))

    def _unknown(self, name: str, asked: str, listeners: int | None = None) -> UnknownError:
        """Nobody's name, or that of an artist whose `listeners` are too few, which hardly is a typo of another's."""
        nearest = self._artists.names.take(fuzzy.suggested(self._artists.keys, names.readings(asked)))
        if listeners is None:
            return UnknownError(name, f'no artist is called "{names.shown(name)}"', nearest)
        heard = f'"{names.shown(name)}" has {listeners} listener{"" if listeners == 1 else "s"}'
        problem = f"{heard}; this model knows artists with at least {self._artists.rare.floor}"
        return UnknownError(name, problem, nearest, "`pozytywka train similar --min-listeners N` asks for fewer.")

    def _most_similar(self, rows: list[int], n: int) -> list[Neighbour]:
        scores = self._scores(rows)
        scores[rows] = -np.inf
        n = min(n, len(scores) - len(set(rows)))
        if n < 1:
            return []
        # every artist that ties with the last one kept, so that the stable sort decides by listeners, then id
        found = np.flatnonzero(scores >= np.partition(scores, -n)[-n])
        best = found[np.argsort(-scores[found], kind="stable")][:n]
        listed = zip(self._artists.names.take(best), self._artists.ids.strings.take(best), scores[best], strict=True)
        return [Neighbour(name, artist_id, float(score)) for name, artist_id, score in listed]

    def _scores(self, rows: list[int]) -> NDArray[np.float32]:
        """Cosines (artists,) with the mean direction of some.

        Raises:
            ArtifactError: one is no finite number; a large file is size-checked only.
        """
        with np.errstate(all="ignore"):
            scores: NDArray[np.float32] = self._artists.factors @ _direction(self._artists.factors[rows])
        if not np.isfinite(scores).all():
            raise ArtifactError("the model's factors are damaged: some are no finite numbers", MEND)
        return scores


def _direction(directions: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of directions, of length 1; zero where they cancel out, which is like nothing."""
    total: NDArray[np.float32] = directions.sum(axis=0)
    return total / max(np.linalg.norm(total), np.finfo(np.float32).eps)
