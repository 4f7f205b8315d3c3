"""When two spellings mean one artist."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

SUGGESTED = 3
SHOWN = 60  # code points of a name in a message
DIACRITICS = re.compile("[\u0300-\u036f]")  # this block alone: the marks of other scripts are letters there


def key(name: str) -> str:
    """What two spellings of one name share: no case, no diacritics, no punctuation, "&" as "and", no leading "the".

    A name that consists of nothing else ("!!!", "The !!!") is only casefolded, without the "the".
    """
    letters = unicodedata.normalize("NFKD", name)
    text = DIACRITICS.sub("", letters).casefold().replace("&", " and ")
    kept = "".join(letter for letter in text if not unicodedata.category(letter).startswith("P"))
    words, whole = " ".join(kept.split()), " ".join(letters.casefold().split())
    if not words or (words == "the" and whole.startswith("the ")):
        return whole.removeprefix("the ")
    return words.removeprefix("the ")


def readings(asked: str) -> list[str]:
    """Which keys one with a typo may stand for: itself, and what follows a first word that is nearly "the".

    "teh beatles" has lost no leading "the", and is four letters away from "beatles".
    """
    from rapidfuzz.distance import OSA

    first, _, rest = asked.partition(" ")
    return [asked, rest] if rest and OSA.distance(first, "the") <= 1 else [asked]


def swapped(asked: str) -> Iterator[str]:
    """The keys that would be asked for, were two neighbouring letters the other way round."""
    return (f"{asked[:at]}{two}{one}{asked[at + 2 :]}" for at, (one, two) in enumerate(pairwise(asked)))


def shown(name: str) -> str:
    """A name as a message quotes it: shortened, where somebody has piped in something else than names."""
    return name if len(name) <= SHOWN else f"{name[: SHOWN - 1]}…"


def suggestion(found: Iterable[str]) -> str:
    """What to try in place of a name that there is not."""
    quoted = ", ".join(f'"{shown(name)}"' for name in found)
    return f"The nearest are {quoted}." if quoted else "Nothing is near; check the spelling."
