"""Find the columns that no line of a table has, and the unknown columns that are probably meant."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from pozytywka_cli.dataset.read import Reading
from pozytywka_cli.dataset.tables import Column

SIMILAR = 0.75  # of two names, as `difflib` measures it


def absent_columns(reading: Reading) -> list[Column]:
    """Return the columns that no line has, though there are lines that should: of `track_id`, those of a PLAY."""
    frame = reading.frame
    absent = [column for column in reading.table.columns if len(frame) and column.name not in reading.present]
    return [column for column in absent if not column.sometimes_needed or (frame["event_type"] == "PLAY").any()]


def intended(column: Column, unknown: Iterable[str]) -> str | None:
    """Return the unknown column that probably is this one under another name; None where none is like it.

    Names are compared by their words in any order: `artist_id` and `idArtist` are `id_artist`.
    """
    names = sorted(unknown)
    wanted = [column.name, *column.synonyms]
    for alike in (_words, _letters):
        for name in wanted:
            if same := [other for other in names if alike(other) == alike(name)]:
                return same[0]
    close = get_close_matches(_words(column.name), map(_words, names), n=1, cutoff=SIMILAR)
    return next((name for name in names if [_words(name)] == close), None)


def absent_column(reading: Reading, column: Column) -> tuple[str, str]:
    """Return what is wrong where no line has a column, and what to do next."""
    name, other = f"{reading.table.name}.{column.name}", intended(column, filter(None, reading.unknown))
    named = f" (named {column.source} in the settings)" if column.source else ""
    likely = f"; {other} is probably it" if other else ""
    setting = f'{name} = "{other or "its name"}"'
    return f"no line has the column {name}{named}{likely}", f"Map it with {setting} under [columns] in pozytywka.toml."


def _words(name: str) -> str:
    """Return the words of a name in lower case, sorted."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return " ".join(sorted(re.findall(r"[^\W_]+", spaced.lower())))


def _letters(name: str) -> str:
    """Return the letters and digits of a name in lower case."""
    return re.sub(r"[\W_]+", "", name.lower())
