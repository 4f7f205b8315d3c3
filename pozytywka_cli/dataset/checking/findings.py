"""Frames of findings, the places where a rule is broken: file, line, rule, column and value."""

import polars as pl

from pozytywka_cli.dataset.reading.read import FINDINGS
from pozytywka_cli.dataset.tables import ERROR_RULES


def report(rows: pl.DataFrame, rule: str, column: str, unit: str | None = None) -> pl.DataFrame:
    """Return a finding for each row, with its value in a column, and the unit that the value seems to have."""
    if rows.is_empty():
        return pl.DataFrame(schema=FINDINGS)
    written = pl.col(column).cast(pl.String) if not isinstance(rows.schema[column], pl.List) else pl.lit("null")
    value = written.fill_null("null").str.head(80) + (f" (looks like {unit})" if unit else "")
    return rows.select("file", "line", rule=pl.lit(rule), column=pl.lit(column), value=value)


def without_errors(frame: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the lines without an error, in their order."""
    bad = findings.filter(pl.col("rule").is_in(ERROR_RULES))
    return frame if bad.is_empty() else frame.join(bad, on=["file", "line"], how="anti", maintain_order="left")
