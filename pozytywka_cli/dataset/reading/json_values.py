"""The values of JSON lines: patterns of those that are read alike in two ways, and their exact conversion."""

import math
from decimal import Decimal
from typing import Any

import polars as pl

from pozytywka_cli.dataset.reading import values
from pozytywka_cli.dataset.tables import Column, Kind

INT64 = 2**63

# text without surrogates, which the two decoders read differently
_TEXT = r'(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))*'
_INTEGER = r"-?(?:0|[1-9][0-9]{0,17})"
_NUMBER = _INTEGER + r"(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?"
_WHOLE = _INTEGER + r"|-?(?:0|[1-9][0-9]{0,14})\.0{1,9}"  # 101.0, as long as a float holds it exactly
_QUOTED = f'"{_TEXT}"'
_VALUES = {
    Kind.INTEGER: _WHOLE,
    Kind.KEY: _WHOLE,
    Kind.NUMBER: _NUMBER,
    Kind.TEXT: _QUOTED,
    Kind.DATE: _QUOTED,
    Kind.FLAG: "true|false",
    Kind.TEXTS: rf"\[(?:{_QUOTED}(?:, ?{_QUOTED})*)?\]",
    Kind.TIME: _QUOTED,
}
# of columns that are written in another way; the values are read as text, and converted by `values.from_text`
_AS_TEXT = {
    (Kind.INTEGER, str): rf'"-?(?:0|[1-9][0-9]{{0,14}})(?:\.0{{1,9}})?"|{_INTEGER}',
    (Kind.KEY, str): f'"{_TEXT[:-1]}+"|{_INTEGER}',
    (Kind.TEXTS, str): rf'"(?:[^"\\\x00-\x1f\[\s]{_TEXT})?"',
    (Kind.TIME, float): r"-?(?:0|[1-9][0-9]{0,12})\.[0-9]{1,6}" + f"|{_INTEGER}",
}
_TEXT_KINDS = (Kind.TEXT, Kind.DATE, Kind.TIME)
ANY = f"true|false|{_NUMBER}|{_QUOTED}", pl.Null()  # the form of a value of an unknown column


def form(column: Column, value: Any) -> tuple[str, pl.DataType]:
    """Return the pattern of values that are written like this one, and the type in which they are decoded."""
    if as_text := _AS_TEXT.get((column.kind, type(value))):
        return as_text, pl.String()
    if column.kind is Kind.TIME and type(value) is int:
        return _INTEGER, pl.Int64()
    return _VALUES[column.kind] + ("|true|false" if column.is_binary else ""), values.RAW[column.kind]


class NotFiniteError(ValueError):
    """NaN, or an infinite number, where a value may be missing."""


def convert(column: Column, value: Any) -> Any:
    """Return the value as the column's raw type, or None for no value; `values.from_text` reads text in the same way.

    Raises:
        TypeError, OverflowError: it is of another type.
        NotFiniteError: it is NaN or an infinite number, and may be missing.
    """
    if value is None:
        return None
    if column.blank_is_null and not isinstance(value, float) and value in ("", "-1", -1):
        return -1 if column.kind in (Kind.INTEGER, Kind.KEY) else str(value)
    if isinstance(value, str):
        return _from_text(column, value)
    if isinstance(value, bool):
        return _from_bool(column, value)
    if isinstance(value, int | float):
        return _from_number(column, value)
    if column.kind is Kind.TEXTS and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise TypeError


def _from_text(column: Column, text: str) -> Any:
    if column.kind in _TEXT_KINDS:
        return text
    if column.kind is Kind.KEY and text:
        return values.key(text)
    converted = values.from_text(column, pl.Series([text])).item()
    if isinstance(converted, pl.Series):
        return converted.to_list()
    if converted is None:
        raise NotFiniteError if values.not_finite(column, pl.Series([text])).item() else TypeError
    return converted


def _from_bool(column: Column, value: bool) -> Any:
    if column.kind is Kind.FLAG:
        return value
    if column.is_binary:
        return int(value)
    raise TypeError


def _from_number(column: Column, number: float) -> Any:
    kind = column.kind
    if isinstance(number, float) and not math.isfinite(number):
        if math.isnan(number) and column.sometimes_needed:
            return ""
        may_be_missing = not column.required and (math.isnan(number) or kind in (Kind.INTEGER, Kind.NUMBER))
        raise NotFiniteError if may_be_missing else TypeError
    if kind is Kind.NUMBER:
        return float(number)
    if kind is Kind.TIME:
        return format(Decimal(repr(number)), "f").removesuffix(".0")
    if kind is Kind.FLAG and number in (0, 1):
        return number == 1
    if kind is Kind.KEY and isinstance(number, int):
        return values.key(str(number))
    if kind in (Kind.INTEGER, Kind.KEY) and number == int(number) and -INT64 <= number < INT64:
        return int(number)
    raise TypeError
