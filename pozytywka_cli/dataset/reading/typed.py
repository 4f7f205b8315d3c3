"""Find blanks, unreadable times and unknown words in raw columns; give the others the table's types."""

from collections import Counter

import polars as pl

from pozytywka_cli.dataset.reading import times
from pozytywka_cli.dataset.reading.values import FINDING, UNIT, UNREADABLE
from pozytywka_cli.dataset.tables import Column, Kind, Table

INTEGERS = (Kind.INTEGER, Kind.KEY)


def typed(table: Table, raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the table's typed columns, `line` and the units of times, and findings (line, rule, column, value).

    Blanks of needed columns become null; words, in any case, become an Enum.
    """
    findings = []
    for column in table.columns:
        if column.kind is Kind.TIME:
            findings.append(_found(raw, ~_blank(column), _written(column), column.name, "time"))
        if column.required:
            shown = _written(column).cast(pl.String).replace("", "(empty)")
            findings.append(_found(raw, _blank(column), shown, column.name, "required"))
        if column.blank_is_null and column.kind is not Kind.TIME:
            raw = raw.with_columns(pl.when(~_blank(column)).then(column.name).alias(column.name))
        if column.words:
            raw, unknown = _as_words(column, raw)
            findings.append(unknown)
    return raw.select("line", *table.schema, *units(table)), pl.concat([pl.DataFrame(schema=FINDING), *findings])


def units(table: Table) -> list[str]:
    """Return the names of the columns that hold the units of times."""
    return [UNIT.format(column.name) for column in table.columns if column.kind is Kind.TIME]


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
            empty = raw.select(_written(column) == "").sum().item() if column.kind not in INTEGERS else 0
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
    return value == -1 if column.kind in INTEGERS else (value == "") | (value == "-1")


def _as_words(column: Column, raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    known = {word: word for word in column.words} | dict(column.spellings)
    spellings = raw[column.name].drop_nulls().unique().to_list()
    words = {spelling: known[word] for spelling in spellings if (word := spelling.strip().upper()) in known}
    cell = pl.col(column.name)
    findings = _found(raw, ~cell.is_in(list(words)), cell, column.name, column.word_rule)
    as_enum = pl.col(column.name).replace_strict(words, default=None, return_dtype=pl.Enum(column.words))
    return raw.with_columns(as_enum), findings


def _found(frame: pl.DataFrame, broken: pl.Expr, value: pl.Expr, column: str, rule: str) -> pl.DataFrame:
    """Return a finding, with the start of a value, for each row where `broken` is true."""
    rows = frame.filter(broken)  # first, for few values have to be made text then
    return rows.select("line", rule=pl.lit(rule), column=pl.lit(column), value=value.str.head(80))


def without_rare_units(table: Table, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
    """Make times null whose numbers since 1970 are of another unit than most of their column.

    Returns:
        the frame without the units, findings (file, line, rule, column, value), and the unit of each column
    """
    findings, main = [pl.DataFrame(schema={"file": pl.UInt32, **FINDING})], {}
    for column in (column for column in table.columns if column.kind is Kind.TIME):
        unit = UNIT.format(column.name)
        by_unit = sorted(frame[unit].drop_nulls().value_counts().iter_rows(), key=lambda row: (-row[1], row[0]))
        if by_unit:
            main[column.name] = f"{times.UNITS[by_unit[0][0]]} since 1970"
        for other, _ in by_unit[1:]:
            note = f" ({times.UNITS[other]}, where most are {times.UNITS[by_unit[0][0]]})"
            rare = frame.filter(pl.col(unit) == other)
            value = times.written_number(pl.col(column.name), other) + note
            findings.append(rare.select("file", "line", rule=pl.lit("time"), column=pl.lit(column.name), value=value))
        if by_unit[1:]:
            usual = pl.col(unit).is_null() | (pl.col(unit) == by_unit[0][0])
            frame = frame.with_columns(pl.when(usual).then(column.name).alias(column.name))
    return frame.drop(units(table)), pl.concat(findings), main
