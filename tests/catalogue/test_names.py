"""When two spellings mean one artist."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.catalogue.names import key, readings


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Björk", "bjork"),
        ("Sigur Rós", "sigur ros"),
        ("Sigur Ro\u0301s", "sigur ros"),
        ("The Ocean", "ocean"),
        ("Ocean", "ocean"),
        ("The The", "the"),
        ("The", "the"),
        ("Theory", "theory"),
        ("Simon & Garfunkel", "simon and garfunkel"),
        ("Simon  and Garfunkel", "simon and garfunkel"),
        ("AC/DC", "acdc"),
        ("[spunge]", "spunge"),
        ("-leading", "leading"),
        ("\x1b[31mred", "\x1b31mred"),
        ("Straße", "strasse"),
        ("ＡＢＣ", "abc"),
        ("Кино", "кино"),
        ("がらくた", "がらくた"),
        ("!!!", "!!!"),
        ("!!! ", "!!!"),
        ("The !!!", "!!!"),
        ("(Ó)", "o"),
        ("", ""),
    ],
)
def test_a_key_keeps_what_spellings_share(name, expected):
    """Letters of every script stay."""
    assert key(name) == unicodedata.normalize("NFKD", expected)


@given(name=st.text())
def test_a_key_is_its_own_key_but_for_another_the(name):
    """What is asked for in the words of a key is found by it."""
    found = key(name)
    assert key(found) in (found, found.removeprefix("the "))


@given(name=st.text())
def test_composed_and_decomposed_spellings_share_a_key(name):
    """Of any text, in any of the four forms."""
    assert len({key(unicodedata.normalize(form, name)) for form in ("NFC", "NFD", "NFKC", "NFKD")}) == 1


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("teh beatles", ["teh beatles", "beatles"]),
        ("he beatles", ["he beatles", "beatles"]),
        ("thebeatles", ["thebeatles"]),
        ("tea beatles", ["tea beatles"]),
        ("teh", ["teh"]),
    ],
)
def test_a_first_word_a_letter_away_from_the_may_be_one(asked, expected):
    """And nothing else may."""
    assert readings(asked) == expected
