"""When two spellings mean one artist."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

SUGGESTED = 3
DIACRITICS = re.compile("[\u0300-\u036f]")  # this block alone: the marks of other scripts are letters there


def key(name: str) -> str:
    """What two spellings of one name share: no case, no diacritics, no punctuation, "&" as "and", no leading "the".

    A name that consists of nothing else ("!!!") is only casefolded.
    """
    text = DIACRITICS.sub("", unicodedata.normalize("NFKD", name)).casefold().replace("&", " and ")
    kept = "".join(letter for letter in text if not unicodedata.category(letter).startswith("P"))
    return " ".join(kept.split()).removeprefix("the ") or name.casefold()


def nearest(text: str, choices: Sequence[str]) -> list[tuple[int, float]]:
    """Indices and similarities (optimal string alignment, 0 to 1) of the nearest three, best and first ones first."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.extract(text, choices, scorer=OSA.normalized_similarity, limit=SUGGESTED)
    return [(index, score) for _, score, index in found]


def suggestion(found: Iterable[str]) -> str:
    """What to try in place of a name that there is not."""
    quoted = ", ".join(f'"{name}"' for name in found)
    return f"The nearest are {quoted}."
