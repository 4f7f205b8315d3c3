"""When two spellings mean one artist."""

import pytest

from pozytywka_cli.similar.names import key


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
        ("(Ó)", "o"),
        ("", ""),
    ],
)
def test_a_key_keeps_what_spellings_share(name, expected):
    """Letters of every script stay."""
    import unicodedata

    assert key(name) == unicodedata.normalize("NFKD", expected)


def test_composed_and_decomposed_forms_share_a_key():
    """NFC and NFD of one name."""
    assert key("Motörhead") == key("Moto\u0308rhead") == "motorhead"
