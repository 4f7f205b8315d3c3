"""Normalisation: when two spellings of a name mean the same artist."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

SUGGESTIONS = 3
MAX_SHOWN = 60  # code points of a name in a message
DIACRITICS = re.compile("[\u0300-\u036f]")  # this block alone: in other scripts combining marks are letters


def key(name: str, *, fold: bool = True) -> str:
    """Return what all spellings of a name share: no case, accents, punctuation or leading "the", and "&" is "and".

    White space of any kind is one space, and invisible format characters (joiners, direction marks) are dropped. A name
    without any letter or digit ("!!!", "The !!!") is only casefolded, and loses its "the".

    fold: also write Latin letters as ASCII ones (ł l, ø o, æ ae); those of other scripts stay
    """
    compatible = unicodedata.normalize("NFKD", name)
    text = DIACRITICS.sub("", compatible).casefold().replace("&", " and ")
    words = " ".join("".join(map(_ascii if fold else _visible, text)).split())
    whole = " ".join(compatible.casefold().split())
    if not words or (words == "the" and whole.startswith("the ")):
        return whole.removeprefix("the ")
    return words.removeprefix("the ")


def agree_unfolded(name: str, others: Iterable[str]) -> list[bool]:
    """Return for each other name of the same key whether it agrees with `name` also where Latin letters stay unfolded.

    "Łona" and "Lona" share a key, and are two artists.
    """
    unfolded = key(name, fold=False)
    return [key(other, fold=False) == unfolded for other in others]


@cache
def _visible(letter: str) -> str:
    """Drop punctuation and format characters."""
    category = unicodedata.category(letter)
    return "" if category[0] == "P" or category == "Cf" else letter


@cache
def _ascii(letter: str) -> str:
    letter = _visible(letter)
    if letter.isascii() or not (letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN")):
        return letter
    from anyascii import anyascii  # for these letters only: the import takes 10 ms

    return "".join(filter(str.isalnum, anyascii(letter).lower())) or letter


def typo_readings(key: str) -> list[str]:
    """Return the keys that a misspelt one may stand for: itself, and the rest after a first word close to "the".

    The key of "teh beatles" has lost no leading "the", and is four letters away from "beatles".
    """
    from rapidfuzz.distance import OSA

    first, _, rest = key.partition(" ")
    return [key, rest] if rest and OSA.distance(first, "the") <= 1 else [key]


def shorten(name: str, most: int = MAX_SHOWN) -> str:
    """Shorten a name for a message: somebody may have piped in something else than names."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def suggestion(nearest: Iterable[str]) -> str:
    """Return the hint for an unknown name."""
    quoted = ", ".join(f'"{shorten(name)}"' for name in nearest)
    return f"The nearest are {quoted}." if quoted else "Nothing is near; check the spelling."
