"""When two spellings mean one artist."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

SUGGESTED = 3
DIACRITICS = re.compile("[\u0300-\u036f]")  # this block alone: the marks of other scripts are letters there


def key(name: str) -> str:
    """What two spellings of one name share: no case, no diacritics, no punctuation, "&" as "and", no leading "the".

    A name that consists of nothing else ("!!!") is only casefolded.
    """
    letters = unicodedata.normalize("NFKD", name)
    text = DIACRITICS.sub("", letters).casefold().replace("&", " and ")
    kept = "".join(letter for letter in text if not unicodedata.category(letter).startswith("P"))
    return " ".join(kept.split()).removeprefix("the ") or letters.casefold()


def readings(asked: str) -> list[str]:
    """Which keys one with a typo may stand for: itself, and what follows a first word that is nearly "the".

    "teh beatles" has lost no leading "the", and is four letters away from "beatles".
    """
    from rapidfuzz.distance import OSA

    first, _, rest = asked.partition(" ")
    return [asked, rest] if rest and OSA.distance(first, "the") <= 1 else [asked]


def swapped(asked: str) -> list[str]:
    """The keys that would be asked for, were two neighbouring letters the other way round."""
    return [f"{asked[:at]}{two}{one}{asked[at + 2 :]}" for at, (one, two) in enumerate(pairwise(asked))]


def suggestion(found: Iterable[str]) -> str:
    """What to try in place of a name that there is not."""
    quoted = ", ".join(f'"{name}"' for name in found)
    return f"The nearest are {quoted}."
