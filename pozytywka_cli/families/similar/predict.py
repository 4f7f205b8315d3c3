"""The predictor: from a name or id to an artist, and from one artist or several to the most similar ones.

It imports numpy and nothing heavier, for a command that answers once and ends.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.catalogue import fuzzy, names
from pozytywka_cli.errors import NotFoundError
from pozytywka_cli.families.predictor import Answer, loading
from pozytywka_cli.families.similar import FAMILY
from pozytywka_cli.families.similar.models import similarity
from pozytywka_cli.families.similar.models.factors import Factors
from pozytywka_cli.settings import Count

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.dataset.loading import Dataset


class UnknownArtistError(NotFoundError):
    """The model has no artist for `query`; `nearest` are names or ids that may have been meant."""

    def __init__(self, query: str, message: str, nearest: Sequence[str], hint: str = "") -> None:
        super().__init__(message, f"{names.suggestion(nearest)} {hint}".rstrip())
        self.query, self.nearest = query, list(nearest)


class SimilarRequest(msgspec.Struct):
    """The artists most similar to one: `artist` is its name, or its id with `by_id`; `count` is how many."""

    artist: str
    by_id: bool = False
    count: Count = 5


class Match(msgspec.Struct, frozen=True):
    """The artist that a query stands for.

    exact: whether the spelling is right but for case, accents and punctuation
    others: ids of the other artists with the same key
    """

    query: str
    matched: str
    index: int
    exact: bool
    others: tuple[str, ...] = ()


class Neighbour(msgspec.Struct, frozen=True):
    """An artist similar to the one, or the blend of several, that a query stands for.

    score: -1 to 1; None if the variant knows no similarity. In `als` it is the cosine; in `two-cosines` and `ppmi` it
        is lowered to what it would be on other listeners, see `similarity.scores`
    variant: that of the version; `popularity` returns the artists with the most listeners, whatever the query is
    """

    query: str
    matched: str
    name: str
    id: str
    score: float | None
    variant: str


COLUMNS = (*Neighbour.__struct_fields__, "problem")
NOTHING: Answer = dict.fromkeys(COLUMNS)


class SimilarPredictor:
    """The artists of a version; all of them stay memory-mapped."""

    Request: ClassVar[type[SimilarRequest]] = SimilarRequest

    def __init__(self, artists: Factors, variant: str = FAMILY.default) -> None:
        self.artists, self.variant = artists, variant

    @classmethod
    def open(cls, version: Version, dataset: "Dataset | None" = None) -> "SimilarPredictor":
        """Load a version, which needs no data; an ArtifactError if a file is damaged."""
        with loading(version, FAMILY.variants):
            return cls(Factors.load(version), version.manifest.variant)

    def predict(self, requests: "pl.DataFrame") -> "pl.DataFrame":
        """Return query, matched, name, id, score, variant and problem: a row for each similar artist, best first.

        See `Neighbour`. A request about an unknown artist has one row, where `problem` says why; query and variant are
        the only others that are not null there.
        """
        import polars as pl

        rows = [row for fields in requests.iter_rows(named=True) for row in self.answer(_request(fields))]
        return pl.DataFrame(rows, dict.fromkeys(COLUMNS, pl.String) | {"score": pl.Float32}, orient="row")

    def answer(self, request: SimilarRequest) -> list[Answer]:
        """Return the rows of `predict` for one request."""
        try:
            match = self.by_id(request.artist) if request.by_id else self.find(request.artist)
        except UnknownArtistError as error:
            problem = f"{error.message}. {error.hint}"
            return [NOTHING | {"query": request.artist, "variant": self.variant, "problem": problem}]
        return [NOTHING | msgspec.structs.asdict(one) for one in self.neighbours([match], request.count)]

    def default_requests(self) -> "pl.DataFrame":
        """Return no requests: the family answers about named artists only."""
        import polars as pl

        return pl.DataFrame(schema={"artist": pl.String, "by_id": pl.Boolean, "count": pl.Int64})

    def find(self, name: str) -> Match:
        """Find an artist by name: by its key, else with a typo.

        Of several artists with the same key, those come first that agree with the name before Latin letters are folded
        ("Lona" is not "Łona" if there are both), then those with more listeners. A typo is two swapped letters, or else
        an optimal string alignment similarity of at least .6.

        Raises:
            UnknownArtistError: no name is similar enough, or the name is that of an artist with too few listeners.
        """
        keys, key = self.artists.keys, names.key(name)
        if rows := keys.find(key):
            return self._match(name, rows, exact=True)
        if (listeners := self.artists.excluded.listeners(key)) is not None:
            raise self._unknown(name, key, listeners)
        if (row := fuzzy.best_match(keys, key)) is not None:
            # exact search may miss it if the order is damaged: the hash of a large table is not checked
            return self._match(name, keys.find(keys[row]) or [row], exact=False)
        raise self._unknown(name, key)

    def by_id(self, artist_id: str) -> Match:
        """Find an artist by id.

        Raises:
            UnknownArtistError: the model has no artist with this id.
        """
        ids = self.artists.ids
        if rows := ids.find(artist_id):
            return self._match(artist_id, rows, exact=True)
        problem = f'the model has no artist with the id "{names.shorten(artist_id)}"'
        raise UnknownArtistError(artist_id, problem, ids.take(fuzzy.suggestions(ids, [artist_id])))

    def neighbours(self, matches: Sequence[Match], n: int) -> list[Neighbour]:
        """Return the `n` artists most similar to a match, or to the mean direction of several, best first.

        The matches themselves are left out; there are fewer than `n` if the model has no more artists.
        """
        query, matched = (" + ".join(parts) for parts in zip(*((m.query, m.matched) for m in matches), strict=True))
        rows = [match.index for match in matches]
        n = min(n, len(self.artists.listeners) - len(set(rows)))
        if n < 1:
            return []
        best, values = self._nearest(rows, n)
        scores = values.tolist() if self.variant != FAMILY.baseline else [None] * n
        columns = (self.artists.names.take(best), self.artists.ids.take(best), scores)
        return [Neighbour(query, matched, *row, self.variant) for row in zip(*columns, strict=True)]

    def _match(self, query: str, rows: list[int], *, exact: bool) -> Match:
        if len(rows) > 1:
            agrees = dict(zip(rows, names.agree_unfolded(query, self.artists.names.take(rows)), strict=True))
            rows = sorted(rows, key=agrees.__getitem__, reverse=True)  # stable: those with more listeners stay first
        first, *others = rows
        return Match(query, self.artists.names[first], first, exact, tuple(self.artists.ids.take(others)))

    def _unknown(self, name: str, key: str, listeners: int | None = None) -> UnknownArtistError:
        """Return the error for an unknown name, or for one of an artist with too few `listeners`."""
        nearest = self.artists.names.take(fuzzy.suggestions(self.artists.keys, names.typo_readings(key)))
        if listeners is None:
            return UnknownArtistError(name, f'no artist is called "{names.shorten(name)}"', nearest)
        too_few = f'"{names.shorten(name)}" has {listeners} listener{"" if listeners == 1 else "s"}'
        problem = f"{too_few}; the model leaves out artists with fewer than {self.artists.excluded.min_listeners}"
        hint = "To include it: `pozytywka train similar --set similar.min_listeners=N`."
        return UnknownArtistError(name, problem, nearest, hint)

    def _nearest(self, rows: list[int], n: int) -> tuple[NDArray[np.int64], similarity.Matrix]:
        """Return the rows of the `n` most similar artists and their scores; what is not stored is computed."""
        stored, values = similarity.stored(self.artists, rows)
        if n > len(stored):
            scores = similarity.scores(self.artists, rows)
            scores[[*rows, *stored]] = -np.inf
            more = similarity.best(scores, n - len(stored))
            stored, values = np.concatenate([stored, more]), np.concatenate([values, scores[more]])
        return stored[:n], values[:n]


def _request(fields: dict[str, Any]) -> SimilarRequest:
    """Return a request; null in an optional field is its default."""
    return SimilarRequest(**{name: value for name, value in fields.items() if value is not None})
