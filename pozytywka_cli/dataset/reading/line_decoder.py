"""Decode one JSON line, slowly and exactly, and name everything that is wrong with it.

The fast path reads only lines that match `canonical`, which both decoders read alike; all other lines are decoded here.
"""

import json
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import polars as pl

from pozytywka_cli.dataset.reading import json_values
from pozytywka_cli.dataset.tables import Table

LONGEST = 16 << 20  # bytes of a line
LONGEST_PATTERN = 50_000  # some 200 unknown keys; the regex engine took 300 and refused 1000

_SURROGATE = re.compile("[\ud800-\udfff]")


class Finding(NamedTuple):
    """Something wrong with a line; `column` is None where it is the line as a whole."""

    rule: str
    column: str | None
    value: str


class Cells(NamedTuple):
    """A column of the table, its key in the lines, and the type in which the frame library decodes its values."""

    column: str
    key: str
    dtype: pl.DataType


class Canonical(NamedTuple):
    """Lines that both decoders read alike; blanks may stand around the object.

    pattern: a regular expression that matches them
    extra: their keys that the schema does not have
    columns: the columns that they have
    """

    pattern: str
    extra: tuple[str, ...]
    columns: tuple[Cells, ...]

    def any_of(self, others: Iterable["Canonical"]) -> "Canonical":
        """Return the form of lines that have this form or another one of the same unknown keys and types."""
        columns, patterns = {cells.column: cells for cells in self.columns}, [self.pattern]
        for other in others:
            alike = all(columns.get(cells.column, cells) == cells for cells in other.columns)
            if other.extra == self.extra and alike:
                columns |= {cells.column: cells for cells in other.columns}
                patterns.append(other.pattern)
        joined = "|".join(pattern.removeprefix(BEGIN).removesuffix(END) for pattern in dict.fromkeys(patterns))
        if len(joined) > LONGEST_PATTERN:
            return self
        return Canonical(f"{BEGIN}(?:{joined}){END}", self.extra, tuple(columns.values()))


BEGIN, END = r"^[ \t]*", r"[ \t]*$"
NOTHING = Canonical(r"^\b$", (), ())


def canonical(table: Table, first: str) -> Canonical | None:
    """Return the form of lines written like `first`: the same keys in the same order, and values of the right types.

    None if `first` is not an object of distinct keys, or has more keys than a regular expression can hold.
    """
    try:
        pairs = json.loads(first, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return None
    keys = [pair[0] for pair in pairs] if isinstance(pairs, tuple) else []
    if not keys or len(set(keys)) < len(keys) or _SURROGATE.search("".join(keys)):
        return None
    columns = table.by_key(keys)
    forms = {key: json_values.form(columns[key], value) if key in columns else json_values.ANY for key, value in pairs}
    parts = [f"{re.escape(json.dumps(key))}: ?(?:{pattern}|null)" for key, (pattern, _) in forms.items()]
    pattern = rf"{BEGIN}\{{{', ?'.join(parts)}\}}{END}"
    cells = tuple(Cells(column.name, key, forms[key][1]) for key, column in columns.items())
    extra = tuple(sorted(key for key in keys if key not in columns))
    return Canonical(pattern, extra, cells) if len(pattern) <= LONGEST_PATTERN else None


def decode(table: Table, raw: bytes) -> tuple[dict[str, Any] | None, list[Finding]]:
    """Return a line's values by column (None if the line is not an object), and what is wrong with it.

    A value of a wrong type becomes None. Where -1 and "" mean "no value", either may be a number or text.
    """
    try:
        cells = _object(raw)
    except _NotAnObjectError as problem:
        start = raw[:80].decode(errors="replace").removesuffix("\r")
        shown = "" if any(column.personal for column in table.columns) else f": {start}"
        return None, [Finding("json", problem.column, f"{problem}{shown}")]
    columns = table.by_key(cells)
    row: dict[str, Any] = {}
    findings = [Finding("extra", key, json.dumps(cells[key])[:80]) for key in cells.keys() - columns.keys()]
    for key, column in columns.items():
        row[column.name] = None
        try:
            row[column.name] = json_values.convert(column, cells[key])
        except json_values.NotFiniteError:
            findings.append(Finding("optional", column.name, json.dumps(cells[key])))
        except (TypeError, OverflowError):
            findings.append(Finding("type", column.name, json.dumps(cells[key])[:80]))
    return row, sorted(findings)


class _NotAnObjectError(ValueError):
    def __init__(self, problem: str, column: str | None = None) -> None:
        super().__init__(problem)
        self.column = column


def _object(raw: bytes) -> dict[str, Any]:
    if len(raw) > LONGEST:
        raise _NotAnObjectError(f"longer than {LONGEST >> 20} MiB")
    if not raw.strip():
        raise _NotAnObjectError("blank line")
    if raw.startswith(BOM_UTF8):
        raise _NotAnObjectError("byte order mark at the start of the line")
    try:
        decoded = json.loads(raw.decode(), object_pairs_hook=_distinct)
        if not isinstance(decoded, dict):
            kind = "an array" if isinstance(decoded, list) else "a single value"
            raise _NotAnObjectError(f"{kind} instead of an object")
        if _SURROGATE.search(json.dumps(decoded, ensure_ascii=False)):
            raise _NotAnObjectError("half a surrogate pair")
    except UnicodeDecodeError as error:
        raise _NotAnObjectError(f"not UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise _NotAnObjectError(f"{error.msg.removesuffix(' at')} at character {error.pos + 1}") from None
    except RecursionError:
        raise _NotAnObjectError("nested too deeply") from None
    except _NotAnObjectError:
        raise
    except ValueError:
        raise _NotAnObjectError("a number with too many digits") from None
    return decoded


def _distinct(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    decoded = dict(pairs)
    if len(decoded) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _NotAnObjectError(f"the key {twice!r} occurs twice", twice if twice.isprintable() else None)
    return decoded
