"""Convert raw columns to typed ones: times, words, blanks. What cannot be read becomes null and a finding."""

from collections import Counter

import polars as pl

from pozytywka_cli.dataset.line_decoder import EPOCH_MS
from pozytywka_cli.dataset.tables import DTYPES, Column, Kind, Table

RAW: dict[Kind, pl.DataType] = {**DTYPES, Kind.TIME: pl.String()}
FINDING = {"line": pl.UInt32, "rule": pl.String, "column": pl.String, "value": pl.String}
UNREADABLE = "{} as written"
ISO = "%Y-%m-%dT%H:%M:%S%.f"


def with_times(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Convert time columns to UTC; beside each stands a column with the text of what could not be read, else null."""
    for name in (column.name for column in table.columns if column.kind is Kind.TIME):
        written = frame[name]
        times = _from_epoch(written) if written.dtype.is_integer() else _from_text(written)
        unreadable = pl.select(pl.when(times.is_null()).then(written)).to_series().cast(pl.String)
        frame = frame.with_columns(times.alias(name), unreadable.alias(UNREADABLE.format(name)))
    return frame


def _from_epoch(written: pl.Series) -> pl.Series:
    usable = pl.select(pl.when(written.is_between(0, EPOCH_MS - 1)).then(written)).to_series()
    return (usable * 1000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _from_text(written: pl.Series) -> pl.Series:
    """Parse ISO 8601 with or without a fraction, with T or a space; without an offset it is UTC, else converted."""
    times = written.str.to_datetime(ISO, time_unit="us", strict=False).dt.replace_time_zone("UTC")
    if times.null_count() == written.null_count():
        return times
    rest = pl.select(pl.when(times.is_null()).then(written)).to_series().str.replace(r"^(\d{4}-\d\d-\d\d) ", "${1}T")
    naive = rest.str.to_datetime(ISO, time_unit="us", strict=False).dt.replace_time_zone("UTC")
    offset = rest.str.to_datetime(f"{ISO}%#z", time_unit="us", time_zone="UTC", strict=False)
    return pl.select(pl.coalesce(times, naive, offset)).to_series()


def finite(written: pl.Series) -> pl.Series:
    """Return numbers as floats; null where they are not finite or no numbers."""
    floats = written.cast(pl.Float64, strict=False)
    return pl.select(pl.when(floats.is_finite()).then(floats)).to_series()


def typed(table: Table, raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the table's typed columns and `line`, and findings (line, rule, column, value).

    Blanks of needed columns become null; words, in any case, become an Enum.
    """
    findings = []
    for column in table.columns:
        if column.kind is Kind.TIME:
            unreadable = pl.when(~_blank(column)).then(UNREADABLE.format(column.name))
            findings.append(_found(raw, unreadable, column.name, "time"))
        if column.required:
            shown = _written(column).cast(pl.String).replace("", "(empty)")
            findings.append(_found(raw, pl.when(_blank(column)).then(shown), column.name, "required"))
        if column.blank_is_null and column.kind is not Kind.TIME:
            raw = raw.with_columns(pl.when(~_blank(column)).then(column.name).alias(column.name))
        if column.words:
            raw, unknown = _as_words(column, raw)
            findings.append(unknown)
    return raw.select("line", *table.schema), pl.concat([pl.DataFrame(schema=FINDING), *findings])


def counts(table: Table, raw: pl.DataFrame, findings: pl.DataFrame) -> Counter[tuple[str, str]]:
    """Count, by (column, statistic), the cells that are null, empty or -1 as written, and each spelling of fixed words.

    Values of a wrong type, which are null by now and have findings, are left out.
    """
    counted = Counter[tuple[str, str]]()
    wrong = Counter(findings.filter(pl.col("rule") == "type")["column"])
    for column in table.columns:
        name = column.name
        unreadable = raw[UNREADABLE.format(name)].count() if column.kind is Kind.TIME else 0
        counted[name, "nulls"] = raw[name].null_count() - unreadable - wrong[name]
        if column.blank_is_null:
            empty = raw.select(_written(column) == "").sum().item() if column.kind is not Kind.INTEGER else 0
            counted[name, "empty"] = empty
            counted[name, "minus one"] = raw.select(_blank(column)).sum().item() - empty
        if column.words:
            spellings = raw[name].drop_nulls().value_counts().iter_rows()
            counted.update({(name, f"count of {spelling}"): count for spelling, count in spellings})
    return counted


def _written(column: Column) -> pl.Expr:
    """Return the cell as it was written; of a time, only where it could not be read."""
    return pl.col(UNREADABLE.format(column.name) if column.kind is Kind.TIME else column.name)


def _blank(column: Column) -> pl.Expr:
    value = _written(column)
    return value == -1 if column.kind is Kind.INTEGER else (value == "") | (value == "-1")


def _as_words(column: Column, raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    known = {word: word for word in column.words} | dict(column.spellings)
    spellings = raw[column.name].drop_nulls().unique().to_list()
    words = {spelling: known[spelling.upper()] for spelling in spellings if spelling.upper() in known}
    unknown = pl.when(~pl.col(column.name).is_in(list(words))).then(column.name)
    findings = _found(raw, unknown, column.name, column.word_rule)
    as_enum = pl.col(column.name).replace_strict(words, default=None, return_dtype=pl.Enum(column.words))
    return raw.with_columns(as_enum), findings


def _found(frame: pl.DataFrame, value: pl.Expr, column: str, rule: str) -> pl.DataFrame:
    """Return a finding for each row in which `value` is not null."""
    findings = frame.lazy().select("line", rule=pl.lit(rule), column=pl.lit(column), value=value)
    return findings.filter(pl.col("value").is_not_null()).collect()
