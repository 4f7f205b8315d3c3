"""When two spellings mean one artist."""

import unicodedata

import pytest
from anyascii import anyascii
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.catalogue.names import agree_unfolded, key, typo_readings


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
        ("STRASSE", "strasse"),
        ("Łona", "lona"),
        ("MØ", "mo"),
        ("Đorđe Balašević", "dorde balasevic"),
        ("Mediæval Bæbes", "mediaeval baebes"),
        ("Þeyr", "theyr"),
        ("Sigur Óðinn", "sigur odinn"),
        ("Cœur de pirate", "coeur de pirate"),
        ("Kıraç", "kirac"),
        ("KIRAÇ", "kirac"),
        ("Ħal Għaxaq", "hal ghaxaq"),
        ("Ŋ", "ng"),
        ("ʔ", "ʔ"),
        ("ＡＢＣ", "abc"),
        ("Кино", "кино"),
        ("がらくた", "がらくた"),
        ("Ελληνικά", "ελληνικα"),
        ("椎名\u3000林檎", "椎名 林檎"),
        ("Sigur\u00a0Rós", "sigur ros"),
        ("a\u2003b\u2028c\u0085d\te", "a b c d e"),
        ("a\u200bb\u200dc\ufeffd\u00ade\u200f", "abcde"),
        ("!!!", "!!!"),
        ("!!! ", "!!!"),
        ("The !!!", "!!!"),
        ("(Ó)", "o"),
        ("", ""),
    ],
)
def test_a_key_is_what_spellings_share(name, expected):
    """Latin letters become ASCII, those of other scripts stay, and white space of any kind is one space."""
    assert key(name) == unicodedata.normalize("NFKD", expected)


def test_names_of_the_same_key_agree_if_their_unfolded_letters_do():
    assert agree_unfolded("łona", ["Lona", "Łona", "ŁÓNA"]) == [False, True, True]


def test_letters_can_be_left_unfolded():
    """To tell "Łona" from "Lona"; accents are removed all the same."""
    assert [key(name, fold=False) for name in ("Łóna", "Lona", "Straße")] == ["łona", "lona", "strasse"]


@given(name=st.text())
def test_a_key_is_its_own_key_but_for_another_the(name):
    """A key that is used as a query finds the artist."""
    normalised = key(name)
    assert key(normalised) in (normalised, normalised.removeprefix("the "))


@given(name=st.text(st.characters(min_codepoint=0x80, max_codepoint=0x2FFF)))
def test_keys_of_latin_names_are_ascii(name):
    """At least every letter that anyascii knows a letter or digit for."""
    others = [letter for letter in key(name) if letter.isalpha() and not letter.isascii()]
    latin = [letter for letter in others if unicodedata.name(letter).startswith("LATIN")]
    assert not [letter for letter in latin if any(map(str.isalnum, anyascii(letter)))]


@given(name=st.text())
def test_composed_and_decomposed_spellings_share_a_key(name):
    """Of any text, in any of the four forms."""
    assert len({key(unicodedata.normalize(form, name)) for form in ("NFC", "NFD", "NFKC", "NFKD")}) == 1


@pytest.mark.parametrize(
    ("misspelt", "expected"),
    [
        ("teh beatles", ["teh beatles", "beatles"]),
        ("he beatles", ["he beatles", "beatles"]),
        ("thebeatles", ["thebeatles"]),
        ("tea beatles", ["tea beatles"]),
        ("teh", ["teh"]),
    ],
)
def test_a_first_word_a_letter_away_from_the_may_be_one(misspelt, expected):
    """And nothing else may."""
    assert typo_readings(misspelt) == expected
