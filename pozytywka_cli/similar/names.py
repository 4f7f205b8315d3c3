"""When two spellings mean one artist."""

import re
import unicodedata

DIACRITICS = re.compile("[\u0300-\u036f]")  # this block alone: the marks of other scripts are letters there


def key(name: str) -> str:
    """What two spellings of one name share: no case, no diacritics, no punctuation, "&" as "and", no leading "the".

    A name that consists of nothing else ("!!!") is only casefolded.
    """
    text = DIACRITICS.sub("", unicodedata.normalize("NFKD", name)).casefold().replace("&", " and ")
    kept = "".join(letter for letter in text if not unicodedata.category(letter).startswith("P"))
    return " ".join(kept.split()).removeprefix("the ") or name.casefold()
