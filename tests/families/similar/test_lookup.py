"""The lookup by name and by id."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pozytywka_cli.artifacts import LOOKUP_BYTES, Store
from pozytywka_cli.catalogue import fuzzy
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.similar import artist_map
from pozytywka_cli.families.similar.features import listens
from pozytywka_cli.families.similar.models import ppmi, similarity
from pozytywka_cli.families.similar.models.factors import COMPUTED_FROM, Excluded, Factors
from pozytywka_cli.families.similar.predict import Match, Neighbour, SimilarPredictor, UnknownArtistError
from pozytywka_cli.families.similar.train import fit_all

from .conftest import factors, run

FORMAT_1 = Path(__file__).parents[2] / "data" / "format-1"
EAST, NORTH, WEST = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]


def names(*listed: str) -> SimilarPredictor:
    """A lookup over names alone, those first in the list with the most listeners."""
    return SimilarPredictor(factors(*((name, EAST, 100 - place) for place, name in enumerate(listed))))


@pytest.mark.parametrize(
    ("query", "matched"),
    [
        ("bjork", "Björk"),
        ("sigur rós", "Sigur Rós"),
        ("sigur ro\u0301s", "Sigur Rós"),
        ("ocean", "The Ocean"),
        ("the ocean", "The Ocean"),
        ("rosetta", "Rosetta"),
        ("spunge", "[spunge]"),
        ("[spunge]", "[spunge]"),
        ("-leading", "-leading"),
        ("кино", "Кино"),
        ("!!!", "!!!"),
        ("\x1b[31mred", "\x1b[31mred"),
        ("", ""),
    ],
)
def test_a_name_is_found_whatever_its_spelling(query, matched):
    """Case, diacritics and punctuation do not count, and the name comes back literally."""
    lookup = names(
        "Björk", "Sigur Rós", "The Ocean", "Rosetta", "[spunge]", "-leading", "Кино", "!!!", "\x1b[31mred", "", "[/b]"
    )
    match = lookup.find(query)
    assert (match.query, match.matched, match.exact) == (query, matched, True)


def test_a_typo_is_forgiven_and_told():
    """One missing letter."""
    match = names("Megadeth", "Metallica").find("metalica")
    assert match == Match("metalica", "Metallica", 1, exact=False)


def test_of_equal_keys_the_artist_with_more_listeners_is_meant():
    """However the name is written, and after a typo too; the ids of the others are shown, for --id."""
    lookup = names("The Ocean", "Air", "Ocean", "Oceán")
    for query, exact in (("OCEAN", True), ("Ocean", True), ("the ocaen", False)):
        assert lookup.find(query) == Match(query, "The Ocean", 0, exact, others=("2", "3"))
    assert lookup.by_id("2") == Match("2", "Ocean", 2, exact=True)


@pytest.mark.parametrize(
    ("query", "matched"),
    [
        ("lona", "Łona"),
        ("LONA", "Łona"),
        ("mo", "MØ"),
        ("strasse", "Straße"),
        ("Straße", "Straße"),
        ("maelstrom", "Mælstrøm"),
    ],
)
def test_letters_that_do_not_decompose_are_found_by_ascii_ones(query, matched):
    """Before any name that is a typo away."""
    match = names("Dona", "Mo-Do", "Łona", "MØ", "Straße", "Mælstrøm").find(query)
    assert (match.matched, match.exact) == (matched, True)


@pytest.mark.parametrize(("query", "matched", "other"), [("lona", "Lona", "0"), ("ŁONA", "Łona", "1")])
def test_the_letter_of_the_query_comes_before_the_number_of_listeners(query, matched, other):
    """If both "Łona" and "Lona" are artists; accents do not decide, and the other one is listed."""
    match = names("Łona", "Lona").find(query)
    assert (match.matched, match.others) == (matched, (other,))
    assert names("Björk", "Bjork").find("bjork").matched == "Björk"


@pytest.mark.parametrize("space", ["\u3000", "\u00a0", "\u2003", "\u2028", "\t", "  ", "\u200d \u2060"])
def test_a_name_is_found_by_itself_and_with_other_white_space(space):
    """A name with an ideographic or no-break space is found when output is used as input."""
    title = f"椎名{space}林檎"
    match = names("林檎", title).find(title)
    assert (match.matched, match.exact) == (title, True)
    assert names("林檎", title).find("椎名 林檎").exact


def test_two_ids_may_share_a_name():
    """Of as many listeners, the first id is meant."""
    match = SimilarPredictor(factors(("Red", EAST, 2), ("Red", NORTH, 2), ("Red", WEST, 22))).find("red")
    assert (match.index, match.others) == (0, ("0", "1"))


def test_a_mistyped_the_is_no_part_of_the_name():
    """Though "static movement" is as near to all of what was asked as "movement" is."""
    assert names("Static Movement", "The Movement").find("teh movement").matched == "The Movement"


def test_of_equally_near_names_the_artist_with_more_listeners_is_meant():
    """Both are one letter away."""
    assert names("Mato", "Mako").find("mayo").matched == "Mato"
    assert names("Mako", "Mato").find("mayo").matched == "Mako"


def test_two_swapped_letters_mean_the_name_that_they_leave():
    """Though "women" is nearer to "woen", and has more listeners; of two such names the one with more is meant."""
    assert names("Women", "Owen").find("woen").matched == "Owen"
    assert names("Baci", "Abic").find("abci").matched == "Baci"
    assert names("Abic", "Baci").find("abci").matched == "Abic"


def test_an_unknown_name_is_refused_with_the_nearest():
    """Literally, in the message and in the hint; those that share nothing with it are not near."""
    with pytest.raises(UnknownArtistError) as refused:
        names("Metallica", "[red]", "Кино", "Air").find("[/b] rail")
    assert '"[/b] rail"' in refused.value.message
    assert '"Air", "Metallica", "[red]"' in refused.value.hint
    assert refused.value.nearest == ["Air", "Metallica", "[red]"]


@pytest.mark.parametrize("query", ["xyz", "\udcff", "", "!!"])
def test_nothing_is_near_to_what_shares_no_letter(query):
    """Its hint names nobody."""
    with pytest.raises(UnknownArtistError) as refused:
        names("Metallica", "[red]", "Кино", "Air").find(query)
    assert (refused.value.query, refused.value.nearest) == (query, [])
    assert "spelling" in refused.value.hint


def test_what_is_far_longer_than_any_name_is_compared_with_none(monkeypatch):
    """Above the longest one's length over .6, which the cutoff excludes; up to it as ever."""
    lookup = names("Metallica")
    assert lookup.find("metallicaxxxxx").matched == "Metallica"
    monkeypatch.setattr(fuzzy, "nearest", None)
    monkeypatch.setattr(fuzzy, "pairwise", None)
    for find in (lookup.find, lookup.by_id):
        with pytest.raises(UnknownArtistError):
            find("metallicaxxxxxxx")


@pytest.fixture
def known() -> SimilarPredictor:
    """A model of artists with at least 3 listeners, which knows of three others that they are there."""
    few = [("Bob Schneider", 1), ("The Bob Schneider", 2), ("Nobody", 0), ("Aír", 2), ("One", 1)]
    return SimilarPredictor(
        Factors.of(np.ones((2, 1)), np.array([9, 8]), ["0", "1"], ["Bob Seger", "Air"], Excluded.counted(few, 3))
    )


@pytest.mark.parametrize(
    ("query", "listeners"),
    [
        ("bob schneider", "2 listeners"),
        ("Bob  Schneider!", "2 listeners"),
        ("nobody", "0 listeners"),
        ("ONE", "1 listener"),
    ],
)
def test_an_artist_with_too_few_listeners_is_no_misspelt_other(known, query, listeners):
    """Of two artists of that name the one with more counts."""
    with pytest.raises(UnknownArtistError) as refused:
        known.find(query)
    assert f'"{query}" has {listeners};' in refused.value.message
    assert '"Bob Seger"' in refused.value.hint
    assert "--set similar.min_listeners=N" in refused.value.hint


def test_an_artist_of_the_model_comes_before_an_excluded_one(known):
    """And a typo of an excluded one is like any other typo."""
    assert known.find("air") == Match("air", "Air", 1, exact=True)
    assert known.find("bob schneger").matched == "Bob Seger"


def test_a_damaged_order_is_no_fault():
    """A large table is size-checked only; what a scan of it finds is answered."""
    lookup = names("Air", "Blur", "Cake")
    keys = lookup.artists.keys
    keys.table = keys.table.copy()
    keys.table["order"][:] = 0
    assert lookup.find("blurr").matched == "Blur"


def test_a_score_that_is_no_number_is_damage():
    """A large file is size-checked only, and one such row would leave every answer empty."""
    lookup = names("Air", "Blur")
    lookup.artists.factors[1] = np.nan
    with pytest.raises(ArtifactError, match="not finite"):
        lookup.neighbours([lookup.find("air")], 1)


def test_an_id_is_found_literally():
    """An unknown one is refused, with the nearest if it is no longer than such ids are."""
    lookup = names("Metallica", "Air")
    assert lookup.by_id("1") == Match("1", "Air", 1, exact=True)
    with pytest.raises(UnknownArtistError) as refused:
        lookup.by_id("12")
    assert 'the id "12"' in refused.value.message
    assert refused.value.nearest == []


def test_the_most_similar_come_first_and_the_artist_itself_not_at_all():
    """By cosine; asking for more than there are gives them all."""
    artists = factors(("a", EAST, 9), ("b", WEST, 8), ("c", NORTH, 7), ("d", [1.0, 1.0], 6))
    lookup = SimilarPredictor(artists, "als")
    found = lookup.neighbours([lookup.find("a")], 10)
    assert [neighbour.name for neighbour in found] == ["d", "c", "b"]
    assert found[1] == Neighbour("a", "a", "c", "2", 0.0, "als")
    assert [neighbour.score for neighbour in found] == pytest.approx([2**-0.5, 0, -1])
    assert lookup.neighbours([lookup.find("a")], 0) == []


def test_ties_go_to_more_listeners_and_then_to_the_id():
    """Also where the tie goes on beyond the last one shown."""
    lookup = SimilarPredictor(factors(("a", EAST, 1), ("b", EAST, 2), ("c", EAST, 5), ("d", EAST, 5), ("e", EAST, 3)))
    assert [neighbour.id for neighbour in lookup.neighbours([lookup.find("a")], 3)] == ["2", "3", "4"]


def test_a_single_artist_has_no_neighbours():
    """Nothing to show is no error."""
    lookup = names("alone")
    assert lookup.neighbours([lookup.find("alone")], 5) == []


def test_a_blend_is_nearest_to_the_mean_and_holds_none_of_its_parts():
    """Between east and north, and nearer to east if that is named twice."""
    lookup = SimilarPredictor(
        factors(("e", EAST, 9), ("n", NORTH, 8), ("w", WEST, 7), ("ne", [1.0, 1.0], 6), ("ene", [2.0, 1.0], 5))
    )
    east, north = lookup.find("E"), lookup.find("n")
    answer = lookup.neighbours([east, north], 10)
    assert {(neighbour.query, neighbour.matched) for neighbour in answer} == {("E + n", "e + n")}
    assert [neighbour.name for neighbour in answer] == ["ne", "ene", "w"]
    assert answer[0].score == pytest.approx(1)
    assert lookup.neighbours([east, east, north], 1)[0].name == "ene"


def test_a_blend_of_opposites_is_like_nothing():
    """Every cosine is 0, and of ties the one with the most listeners comes first."""
    lookup = SimilarPredictor(factors(("w", WEST, 9), ("n", NORTH, 3), ("e", EAST, 7), ("s", [0.0, -1.0], 5)))
    found = lookup.neighbours([lookup.find("w"), lookup.find("e")], 5)
    assert [(neighbour.name, neighbour.score) for neighbour in found] == [("s", 0), ("n", 0)]


@pytest.fixture
def two_cosines(counted, monkeypatch) -> SimilarPredictor:
    """Two communities by both cosines; ten neighbours of the 40 artists with the most listeners are stored."""
    monkeypatch.setattr(ppmi, "NEIGHBOURS", 10)
    monkeypatch.setattr(ppmi, "MOST_SCORES", 40 * 60)
    return SimilarPredictor(fit_all(counted, run("two-cosines"))[0])


@pytest.mark.parametrize("row", [0, 39, 40, 59])
def test_answers_do_not_depend_on_what_is_stored(two_cosines, row):
    """More than the stored ones, all of them, or of an artist without any."""
    match = two_cosines.by_id(two_cosines.artists.ids[row])
    whole = SimilarPredictor(replace(two_cosines.artists, neighbours=None)).neighbours([match], 100)
    assert len(whole) == 59
    for count in (5, 10, 11, 100):
        found = two_cosines.neighbours([match], count)
        assert [one.id for one in found] == [one.id for one in whole[:count]]
        assert [one.score for one in found] == pytest.approx([one.score for one in whole[:count]], abs=1e-6)


def test_a_blend_of_an_artist_with_itself_is_the_artist(two_cosines):
    """And one with another lies between both, no more confident than the less known."""
    first, last = (two_cosines.by_id(two_cosines.artists.ids[row]) for row in (0, 59))
    alone = two_cosines.neighbours([first], 20)
    assert [one.id for one in two_cosines.neighbours([first, first], 20)] == [one.id for one in alone]
    listeners = two_cosines.artists.listeners
    assert listeners[59] < listeners[0]
    most = listeners[59] / (listeners[59] + similarity.PRIOR_LISTENERS)
    blend = two_cosines.neighbours([first, last], 60)
    assert len({one.id for one in blend}) == 58
    assert max(one.score for one in blend) <= most


@pytest.mark.parametrize(("field", "value"), [("artists", 60), ("artists", -1), ("values", np.nan)])
def test_a_damaged_neighbour_is_damage(two_cosines, field, value):
    """The hash of a large file is not checked."""
    getattr(two_cosines.artists.neighbours, field)[3, 2] = value
    with pytest.raises(ArtifactError, match="damaged"):
        two_cosines.neighbours([two_cosines.by_id(two_cosines.artists.ids[3])], 5)


@pytest.mark.parametrize(("field", "value"), [("artists", 60), ("values", np.nan)])
def test_a_damaged_context_is_damage(two_cosines, field, value):
    """Where an answer is computed."""
    getattr(two_cosines.artists.contexts, field)[3, 2] = value
    with pytest.raises(ArtifactError, match="damaged"):
        two_cosines.neighbours([two_cosines.by_id(two_cosines.artists.ids[59])], 5)


@pytest.mark.parametrize("name", COMPUTED_FROM)
def test_no_answer_is_computed_from_a_damaged_file(two_cosines, save, name, monkeypatch):
    """Whose hash a lookup has left: what is stored is answered without it, what is not is refused, each time."""
    monkeypatch.setattr("pozytywka_cli.artifacts.version.SMALL_BYTES", 0)
    path = save(two_cosines.artists).path(name)
    store, content = Store(path.parents[3]), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    version = store.load("similar", path.parent.name, hash_limit=LOOKUP_BYTES, hash_later=COMPUTED_FROM)
    lookup = SimilarPredictor(Factors.load(version))
    first, last = (lookup.by_id(lookup.artists.ids[row]) for row in (0, 59))
    assert lookup.neighbours([first], 10) == two_cosines.neighbours([first], 10)
    for matches, count in (([first], 11), ([last], 1), ([first, last], 1), ([first], 11)):
        with pytest.raises(ArtifactError, match=rf"{name} is damaged: its SHA-256"):
            lookup.neighbours(matches, count)
    with pytest.raises(ArtifactError, match=rf"{name} is damaged"):
        artist_map.panel(lookup.artists)
    with pytest.raises(ArtifactError, match=rf"{name} is damaged"):
        store.load("similar", path.parent.name, hash_limit=LOOKUP_BYTES)


def test_answers_computed_from_checked_files_are_the_same(two_cosines, save, monkeypatch):
    """Whether the hashes were checked at once or later."""
    monkeypatch.setattr("pozytywka_cli.artifacts.version.SMALL_BYTES", 0)
    folder = save(two_cosines.artists).folder
    version = Store(folder.parents[2]).load("similar", folder.name, hash_later=COMPUTED_FROM)
    lookup = SimilarPredictor(Factors.load(version))
    assert version.unhashed == set(COMPUTED_FROM)
    for row in (0, 59):
        match = lookup.by_id(lookup.artists.ids[row])
        assert lookup.neighbours([match], 59) == two_cosines.neighbours([match], 59)


@pytest.mark.parametrize(
    ("query", "matched", "expected"),
    [
        ("the ocean", "The Ocean", {"-lead": 0.99982, "Mogwai": 0.99966, "Sigur Rós": 0.96792}),
        ("rosetta", "Rosetta", {"Björk": 0.99210, "Simon & Garfunkel": 0.96619, "Ocean": 0.90370}),
        ("Bjrök", "Björk", {"Rosetta": 0.99210, "Simon & Garfunkel": 0.93053, "Ocean": 0.89391}),
    ],
)
def test_an_artifact_of_format_1_answers_as_it_did(query, matched, expected):
    """It was saved before the names of excluded artists were."""
    lookup = SimilarPredictor(Factors.load(Store(FORMAT_1).load("similar")))
    match = lookup.find(query)
    assert match.matched == matched
    assert {found.name: found.score for found in lookup.neighbours([match], 3)} == pytest.approx(expected, abs=1e-4)


def test_the_lookup_imports_nothing_heavy():
    """And rapidfuzz only for a misspelt name, anyascii only for a letter that it folds."""
    program = "import sys, pozytywka_cli.families.similar.predict; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"polars", "torch", "scipy", "sklearn", "implicit", "pyspark", "rapidfuzz", "anyascii"} & set(loaded)


@pytest.mark.real
@pytest.mark.parametrize(
    ("query", "matched"),
    [
        ("rosetta", "Rosetta"),
        ("bjork", "Björk"),
        ("sigur rós", "Sigur Ros"),
        ("metalica", "Metallica"),
        ("the ocean", "The Ocean"),
        ("[spunge]", "[Spunge]"),
        ("кино", "Кино"),
        ("teh beatles", "The Beatles"),
        ("mya", "Mýa"),
        ("nerd", "N*E*R*D"),
        ("marina and the diamonds", "Marina & The Diamonds"),
        ("nils petter molvaer", "Nils Petter Molvær"),
        ("lzy", "Łzy"),
        ("underoath", "Underoath"),
        ("underøath", "Underøath"),
    ],
)
def test_real_artists_are_found_by_what_people_write(lastfm, query, matched):
    """Of Last.fm's 17,493 artists, 87 pairs and one trio share a key."""
    counted = listens(lastfm)
    alike = np.ones((len(counted.names), 1), dtype=np.float32)
    lookup = SimilarPredictor(Factors.of(alike, counted.listeners, counted.artist_ids, counted.names))
    assert lookup.find(query).matched == matched
