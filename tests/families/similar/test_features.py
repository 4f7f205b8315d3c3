"""Listens from plays and from scrobbles."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.similar.features import Listens, listens

from .conftest import scrobbled

ROWS = [("u1", "x", 3), ("u1", "y", 1), ("u2", "x", 2), ("u1", "x", 4), ("u3", "z", 7)]
NAMES = [("x", "[spunge]"), ("y", None), ("z", "Earth, Wind & Fire"), ("w", None)]


def counted(rows: list[tuple[str, str, int]], names: list[tuple[str, str | None]] = NAMES) -> Listens:
    """The listens of scrobbles."""
    return listens(scrobbled(pl.DataFrame(rows, ["user_id", "artist_id", "listens"], orient="row"), names))


def test_rows_of_one_user_and_artist_are_summed():
    """u1 played x three and four times."""
    result = counted(ROWS)
    assert result.counts.toarray().tolist() == [[7, 1, 0], [2, 0, 0], [0, 0, 7]]
    assert result.listeners.tolist() == [2, 1, 1]


def test_an_artist_without_a_name_is_called_by_its_id():
    """Both one whose name is null, and one that the artists lack."""
    result = counted([*ROWS, ("u3", "w", 1), ("u3", "unlisted", 1)])
    assert result.artist_ids == ["unlisted", "w", "x", "y", "z"]
    assert result.names == ["unlisted", "w", "[spunge]", "y", "Earth, Wind & Fire"]


def test_names_of_artists_without_listeners_are_listed():
    """Those that have a name."""
    assert counted(ROWS, [*NAMES, ("v", "Nobody's")]).unheard == ["Nobody's"]


@settings(deadline=None, max_examples=25)
@given(rows=st.permutations(ROWS), names=st.permutations(NAMES))
def test_the_order_of_lines_does_not_matter(rows, names):
    """The same matrix, bit for bit, and the same names."""
    first, again = counted(ROWS), counted(rows, names)
    assert (first.counts != again.counts).nnz == 0
    assert first.counts.indices.tolist() == again.counts.indices.tolist()
    assert (first.artist_ids, first.names) == (again.artist_ids, again.names)


def test_without_rows_there_is_nothing_to_learn_from():
    """Refused."""
    with pytest.raises(RefusedError, match="no plays"):
        listens(scrobbled(pl.DataFrame(schema={"user_id": str, "artist_id": str, "listens": int}), NAMES))


def test_plays_are_counted_per_user_and_artist():
    """Through the tracks' artists, whatever the type of a user's id."""
    plays = pl.DataFrame({"user_id": [2, 1, 2, 2], "track_id": ["t1", "t1", "t2", "t3"]})
    dataset = Dataset(
        plays=plays.with_columns(started_at=pl.lit(datetime(2024, 1, 1, tzinfo=UTC))),
        purchases=pl.DataFrame(),
        users=pl.DataFrame(),
        artists=pl.DataFrame({"id": ["x", "y"], "name": ["X", None]}),
        tracks=pl.DataFrame({"id": ["t1", "t2", "t3"], "id_artist": ["x", "x", "y"]}),
    )
    result = listens(dataset)
    assert result.counts.toarray().tolist() == [[1, 0], [2, 1]]
    assert result.names == ["X", "y"]
