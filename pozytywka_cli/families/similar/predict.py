"""The predictor: requests about artists, as frames."""

from collections.abc import Iterator

import msgspec
import polars as pl

from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.similar.lookup import Lookup, UnknownArtistError
from pozytywka_cli.settings import Count

SCHEMA = {
    "query": pl.String,
    "matched": pl.String,
    "name": pl.String,
    "id": pl.String,
    "score": pl.Float32,
    "problem": pl.String,
}


class SimilarRequest(msgspec.Struct):
    """The artists most similar to one: `artist` is its name, or its id with `by_id`; `count` is how many."""

    artist: str
    by_id: bool = False
    count: Count = 5


class SimilarPredictor:
    """A loaded version; all of it stays memory-mapped."""

    Request = SimilarRequest

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    @classmethod
    def open(cls, version: Version) -> "SimilarPredictor":
        """Open a saved version.

        Raises:
            ArtifactError: a file is missing or damaged.
        """
        return cls(Lookup.open(version))

    def predict(self, requests: pl.DataFrame) -> pl.DataFrame:
        """Return query, matched, name, id, score (cosine) and problem: a row for each similar artist, best first.

        A request about an unknown artist has one row, where `problem` says why and all but the query is null.
        """
        rows = [row for request in _requests(requests) for row in self._rows(request)]
        return pl.DataFrame(rows, SCHEMA, orient="row")

    def default_requests(self) -> pl.DataFrame:
        """Return no requests: the family answers about named artists only."""
        return pl.DataFrame(schema={"artist": pl.String, "by_id": pl.Boolean, "count": pl.Int64})

    def _rows(self, request: SimilarRequest) -> Iterator[dict[str, str | float]]:
        find = self._lookup.by_id if request.by_id else self._lookup.find
        try:
            neighbours = self._lookup.neighbours([find(request.artist)], request.count)
            yield from map(msgspec.structs.asdict, neighbours)
        except UnknownArtistError as error:
            yield {"query": request.artist, "problem": f"{error.message}. {error.hint}"}


def _requests(frame: pl.DataFrame) -> Iterator[SimilarRequest]:
    """Yield requests; null in an optional column is its default."""
    for row in frame.iter_rows(named=True):
        yield SimilarRequest(**{name: value for name, value in row.items() if value is not None})
