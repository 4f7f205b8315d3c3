"""The tracks: numbers, artists, genres and attributes."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.catalogue.string_table import take
from pozytywka_cli.families.recommend.features.frames import MOST_DEVIATIONS, codes, collect_tracks, track_numbers
from pozytywka_cli.families.recommend.features.tracks import ATTRIBUTES, Tracks

from .worlds import ARTISTS, FULL, TRACKS, dataset


def tracks_of(plays=(), **described) -> Tracks:
    return collect_tracks(dataset(plays, **described))


def test_tracks_of_the_table_and_of_the_plays_are_numbered_by_id():
    """One that only plays name has no name and no artist of its own."""
    found = tracks_of([(1, "s9", 0, FULL), (1, "t0", 1, FULL)])
    assert found.ids == ["s9", *TRACKS]
    assert found.names == [None, *(f"Track {one}" for one in TRACKS)]
    assert take(found.artist_names, found.artists) == [None, *["Ącki & Sons"] * 2, *["Beta"] * 2, None, None]


def test_every_track_without_an_artist_has_a_number_of_its_own():
    """As its artist: "-1", an empty one, none at all, or a track that the table lacks."""
    found = tracks_of([(1, "t9", 0, FULL)], tracks={"t0": "a", "t1": "a", "t2": "-1", "t3": "", "t4": None})
    assert found.artists[0] == found.artists[1]
    assert len(set(found.artists[1:])) == 5
    assert take(found.artist_ids, found.artists[2:]) == [None] * 4
    assert not found.genres[2:].nnz


def test_an_artist_that_the_table_lacks_is_an_artist():
    """With an id, and without a name."""
    found = tracks_of(tracks={"t0": "new", "t1": "new"})
    assert found.artists[0] == found.artists[1]
    assert (found.artist_ids[0], found.artist_names[0]) == ("new", None)


def test_genres_of_a_track_are_those_of_its_artist():
    """Each row has length 1, or 0 where no genre is known."""
    found = tracks_of()
    assert found.vocabulary == ["jazz", "pop", "rock"]
    half = 0.5**0.5
    expected = [[0, 0, 1], [0, 0, 1], [0, half, half], [0, half, half], [1, 0, 0], [0, 0, 0]]
    assert found.genres.toarray() == pytest.approx(np.array(expected))


@pytest.mark.parametrize("genres", [None, [], [""], [None]])
def test_an_artist_may_have_no_genre(genres):
    """However that is written."""
    found = tracks_of(artists=[("a", "A", genres)])
    assert found.vocabulary == []
    assert found.genres.shape == (6, 0)


def test_genres_are_named_in_any_case():
    """Each counts once; unknown ones do not count."""
    found = tracks_of()
    assert found.genre_vector(["ROCK", "rock", "Polka"]).tolist() == [0, 0, 1]
    assert found.genre_vector(["jazz", "Pop"]) == pytest.approx([0.5**0.5, 0.5**0.5, 0])
    assert found.genre_vector(["polka"]).tolist() == found.genre_vector([]).tolist() == [0, 0, 0]


def test_tracks_are_found_by_their_ids():
    """In a frame, and one alone; some are not there."""
    found = tracks_of()
    assert track_numbers(found, pl.Series(["t3", None, "t", "t0"])).tolist() == [3, -1, -1, 0]
    assert [found.find(track) for track in ("t3", "t", "t0", "t6", "")] == [3, None, 0, None, None]


def test_attributes_are_standardised():
    """Over the tracks where they are known; unknown and constant ones are 0, and far ones are clipped."""
    rows = dataset([], tracks={f"t{number:02}": "a" for number in range(40)})
    given = rows.tracks.with_columns(
        energy=pl.when(pl.int_range(40) == 0).then(1000.0).otherwise("energy"),
        tempo=pl.lit(120.0),
        valence=pl.when(pl.int_range(40) > 0).then("valence"),
    )
    found = collect_tracks(replace(rows, tracks=given)).attributes
    columns = {name: found[:, place] for place, name in enumerate(ATTRIBUTES)}
    assert columns["danceability"].mean() == pytest.approx(0, abs=1e-6)
    assert columns["danceability"].std() == pytest.approx(1, abs=1e-5)
    assert columns["energy"][0] == MOST_DEVIATIONS
    assert columns["valence"][0] == 0
    assert columns["valence"][1:].std() == pytest.approx(1, abs=1e-5)
    assert not columns["tempo"].any()
    assert np.isfinite(found).all()


@settings(deadline=None, max_examples=20)
@given(order=st.permutations(range(6)), named=st.permutations(ARTISTS))
def test_the_order_of_lines_does_not_matter(order, named):
    """Numbers and genres are the same, and attributes but for rounding."""
    rows = dataset([(1, "t9", 0, FULL)])
    one, other = (
        collect_tracks(rows),
        collect_tracks(replace(rows, tracks=rows.tracks[order], artists=dataset([], artists=named).artists)),
    )
    assert one.ids == other.ids
    assert one.artists.tolist() == other.artists.tolist()
    assert one.genres.toarray().tolist() == other.genres.toarray().tolist()
    np.testing.assert_allclose(one.attributes, other.attributes, atol=1e-6)


@settings(deadline=None, max_examples=50)
@given(known=st.sets(st.integers(0, 20)), values=st.lists(st.none() | st.integers(0, 20)))
def test_codes_are_places_among_the_known_ones(known, values):
    """-1 for null, and for what is not known."""
    ascending = sorted(known)
    expected = [ascending.index(one) if one in known else -1 for one in values]
    assert codes(pl.Series(values, dtype=pl.Int64), pl.Series(ascending, dtype=pl.Int64)).tolist() == expected
