"""Decode one JSON line, slowly and exactly, and name everything that is wrong with it.

The fast path reads only lines that match `canonical`, which both decoders read alike; all other lines are decoded here.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pozytywka_cli.dataset.tables import Column, Kind, Table

INT64 = 2**63
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_MS = 253_402_300_800_000  # the year 10000, past which `datetime` cannot go

LONGEST = 16 << 20  # bytes of a line
LONGEST_PATTERN = 50_000  # some 200 unknown keys; the regex engine took 300 and refused 1000

_SURROGATE = re.compile("[\ud800-\udfff]")
# text without surrogates, which the two decoders read differently
_TEXT = r'(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))*'
_INTEGER = r"-?(?:0|[1-9][0-9]{0,17})"
_NUMBER = _INTEGER + r"(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?"
_QUOTED = f'"{_TEXT}"'
_VALUES = {
    Kind.INTEGER: _INTEGER,
    Kind.NUMBER: _NUMBER,
    Kind.TEXT: _QUOTED,
    Kind.DATE: _QUOTED,
    Kind.FLAG: "true|false",
    Kind.TEXTS: rf"\[(?:{_QUOTED}(?:, ?{_QUOTED})*)?\]",
}
_ACCEPTED = {Kind.TEXT: str, Kind.DATE: str, Kind.TIME: str, Kind.FLAG: bool}
_ANY = f"true|false|{_NUMBER}|{_QUOTED}"


class Finding(NamedTuple):
    """Something wrong with a line; `column` is None where it is the line as a whole."""

    rule: str
    column: str | None
    value: str


class Canonical(NamedTuple):
    """Lines that both decoders read alike: their pattern, whether times are integers, keys unknown to the schema.

    Blanks may stand around the object.
    """

    pattern: str
    epoch: bool
    extra: tuple[str, ...]

    def any_of(self, others: Iterable["Canonical"]) -> "Canonical":
        """Return the form of lines that have this form or another one with times and unknown keys alike."""
        alike = [other.pattern for other in others if (other.epoch, other.extra) == (self.epoch, self.extra)]
        patterns = list(dict.fromkeys([self.pattern, *alike]))
        joined = "|".join(pattern.removeprefix(BEGIN).removesuffix(END) for pattern in patterns)
        return self._replace(pattern=f"{BEGIN}(?:{joined}){END}") if len(joined) <= LONGEST_PATTERN else self


BEGIN, END = r"^[ \t]*", r"[ \t]*$"
NOTHING = Canonical(r"^\b$", False, ())


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
    kinds = {column.name: column.kind for column in table.columns}
    epoch = any(kinds.get(key) is Kind.TIME and isinstance(value, int) for key, value in pairs)
    values = {**_VALUES, Kind.TIME: _INTEGER if epoch else _QUOTED}
    parts = [f"{re.escape(json.dumps(key))}: ?(?:{values[kinds[key]] if key in kinds else _ANY}|null)" for key in keys]
    pattern = rf"{BEGIN}\{{{', ?'.join(parts)}\}}{END}"
    extra = tuple(sorted(key for key in keys if key not in kinds))
    return Canonical(pattern, epoch, extra) if len(pattern) <= LONGEST_PATTERN else None


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
    values: dict[str, Any] = {}
    findings = [Finding("extra", key, json.dumps(cells[key])[:80]) for key in cells.keys() - table.schema.keys()]
    for column in table.columns:
        try:
            values[column.name] = _value(column, cells.get(column.name))
        except (TypeError, OverflowError):
            values[column.name] = None
            findings.append(Finding("type", column.name, json.dumps(cells[column.name])[:80]))
    return values, sorted(findings)


class _NotAnObjectError(ValueError):
    def __init__(self, problem: str, column: str | None = None) -> None:
        super().__init__(problem)
        self.column = column


def _object(raw: bytes) -> dict[str, Any]:
    if len(raw) > LONGEST:
        raise _NotAnObjectError(f"longer than {LONGEST >> 20} MiB")
    if not raw.strip():
        raise _NotAnObjectError("blank line")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise _NotAnObjectError("byte order mark at the start of the line")
    try:
        decoded = json.loads(raw.decode(), object_pairs_hook=_distinct, parse_constant=_refuse)
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


def _refuse(constant: str) -> Any:
    raise _NotAnObjectError(f"{constant} is not JSON")


def _value(column: Column, value: Any) -> Any:
    """Return the value as the column's type, or None for no value.

    Raises:
        TypeError, OverflowError: it is of another type.
    """
    kind = column.kind
    if column.blank_is_null and not isinstance(value, float) and value in ("", "-1", -1):
        return -1 if kind is Kind.INTEGER else str(value)
    if kind is Kind.TIME and _is_integer(value):
        return epoch_text(value)
    if kind is Kind.NUMBER and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if kind is Kind.TEXTS and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    if value is None or isinstance(value, _ACCEPTED.get(kind, ())) or (kind is Kind.INTEGER and _is_integer(value)):
        return value
    raise TypeError


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -INT64 <= value < INT64


def epoch_text(milliseconds: int) -> str:
    """Return milliseconds since 1970 as ISO 8601 text; outside of 1970 to 9999 as a number, which is no valid time."""
    if not 0 <= milliseconds < EPOCH_MS:
        return str(milliseconds)
    return (EPOCH + timedelta(milliseconds=milliseconds)).isoformat()
