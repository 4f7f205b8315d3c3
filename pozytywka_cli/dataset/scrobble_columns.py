"""Find out how a file of scrobbles or artists is written: its separator, its header and which column is what."""

import re
from typing import NamedTuple

from pozytywka_cli.dataset.reading.csv_reader import SEPARATORS, first_rows
from pozytywka_cli.errors import RefusedError

SCROBBLES, ARTISTS = ("user_id", "artist_id", "scrobbles"), ("artist_id", "artist_name")
# spellings of each column in lower case, without marks between words; the first is the documented one
SPELLINGS = {
    "user_id": ("userid", "user", "username", "usersha1", "usermboxsha1"),
    "artist_id": ("artistid", "musicbrainzartistid", "artistmbid", "mbid"),
    "artist_name": ("artistname", "name", "artname"),
    "scrobbles": ("scrobbles", "weight", "plays", "listens", "playcount", "count"),
}
# the columns of files without a header, by their number
WITHOUT_HEADER = {2: ARTISTS, 3: SCROBBLES, 4: ("user_id", "artist_id", "artist_name", "scrobbles")}
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")


class Layout(NamedTuple):
    """How a file is written: its separator, its header (empty if it has none), and the positions of its columns."""

    separator: str
    header: list[str]
    columns: dict[str, int]

    def assumed(self) -> str:
        """Return what was assumed about the file; nothing if it is written as documented."""
        names = {column: self.header[at] if self.header else str(at + 1) for column, at in self.columns.items()}
        if self.separator == "," and all(column == name for column, name in names.items()):
            return ""
        header = "with a header" if self.header else "without a header"
        columns = ", ".join(f"{column} is column {name}" for column, name in names.items())
        return f"read as {SEPARATORS[self.separator]}-separated, {header}: {columns}"


def layout(text: bytes, name: str, needed: tuple[str, ...]) -> Layout:
    """Find the columns of a text by its header, or, if it has none, by their number and order.

    Raises:
        RefusedError: a needed column is missing, or cannot be told from another.
    """
    rows = {separator: first_rows(text, separator) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda one: len(_named(rows[one][0])))
    header = rows[separator][0]
    if columns := _named(header):
        missing = [column for column in needed if column not in columns]
        if not missing:
            _refuse_ambiguous(header, name)
            return Layout(separator, header, columns)
        if not any(map(NUMBER.fullmatch, header)):
            raise RefusedError(f"{name}:1: the header has no column {missing[0]}", _hint(needed))
    for separator in ("\t", ";", "|", ","):  # names have commas most often
        if positions := _positions(rows[separator], needed):
            return Layout(separator, [], positions)
    raise RefusedError(f"{name}:1: there is no header, and the columns cannot be told apart", _hint(needed))


def _named(header: list[str]) -> dict[str, int]:
    """Return the positions of the columns that a header names."""
    keys = [_key(cell) for cell in header]
    columns = {}
    for column, spellings in SPELLINGS.items():
        for spelling in reversed(spellings):
            if spelling in keys:
                columns[column] = keys.index(spelling)
    if "id" in keys and "user_id" not in columns:  # a list of artists
        columns.setdefault("artist_id", keys.index("id"))
    if "artist" in keys:
        for column in ARTISTS:
            columns.setdefault(column, keys.index("artist"))
    if "artist_name" in columns:
        columns.setdefault("artist_id", columns["artist_name"])
    return columns


def _refuse_ambiguous(header: list[str], name: str) -> None:
    """Refuse a header that names a column twice, unless one of the two has the documented name."""
    keys = [_key(cell) for cell in header]
    for column, (documented, *others) in SPELLINGS.items():
        alike = [cell for cell, key in zip(header, keys, strict=True) if key == documented]
        alike = alike or [cell for cell, key in zip(header, keys, strict=True) if key in others]
        if len(alike) > 1:
            problem = f"{name}:1: {alike[0]!r} and {alike[1]!r} could both be the column {column}"
            raise RefusedError(problem, f"Name one of them {column}, and rename or remove the other.")


def _positions(rows: list[list[str]], needed: tuple[str, ...]) -> dict[str, int]:
    """Return the positions of columns without a header, by their number; nothing if they cannot be told apart."""
    columns = WITHOUT_HEADER.get(len(rows[0]), ())
    alike = [row for row in rows if len(row) == len(columns)]
    if len(alike) < len(rows) / 2 or not set(needed) <= set(columns):
        return {}
    numbers = {column: [bool(NUMBER.fullmatch(row[at])) for row in alike] for at, column in enumerate(columns)}
    if "scrobbles" in columns and not (numbers["scrobbles"][0] and _most(numbers["scrobbles"])):
        return {}
    if len(columns) > len(SCROBBLES) and _most(numbers["artist_name"]):
        return {}
    return {column: at for at, column in enumerate(columns)}


def _most(flags: list[bool]) -> bool:
    return sum(flags) > len(flags) / 2


def _key(cell: str) -> str:
    return re.sub(r"[\W_]", "", cell.lower())


def _hint(needed: tuple[str, ...]) -> str:
    return f"Name the columns in the first line, like {','.join(needed)!r}."
