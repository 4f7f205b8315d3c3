"""Read JSON lines: a fast path for lines that are written alike, and an exact, slow one for all others."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from pozytywka_cli.dataset import values
from pozytywka_cli.dataset.data_files import BZIP2, ERRORS, Source, magic, open_source, read_source
from pozytywka_cli.dataset.line_decoder import NOTHING, Canonical, canonical, decode
from pozytywka_cli.dataset.tables import Kind, Table

ZLIB = (b"x\x01", b"x\x9c", b"x\xda")
LOOK_AHEAD = 100  # lines that decide which keys, in which order, the fast path expects
EXAMPLES = 3


class Raw(NamedTuple):
    """A file as read, before its values are checked.

    columns: `line` (from 1) and the table's columns, a row for each line that is an object
    findings: what is wrong with lines: line, rule, column, value; of an unknown column only on the first few lines
    unknown: how many lines have each column that the schema does not have
    lines: how many lines the file has
    """

    columns: pl.DataFrame
    findings: pl.DataFrame
    unknown: Counter[str | None]
    lines: int


def read_lines(table: Table, source: Source) -> Raw:
    """Read a JSONL file.

    Raises:
        OSError, EOFError, zlib.error, ZstdError, PolarsError: it cannot be read or decompressed.
    """
    with open_source(source) as stream:
        heads = [line.decode(errors="replace") for line, _ in zip(stream, range(LOOK_AHEAD), strict=False)]
    forms = Counter(form for head in heads if (form := canonical(table, head)))
    expected = forms.most_common(1)[0][0] if forms else NOTHING
    first = magic(source) if isinstance(source, Path) else b""
    # the line scanner takes text that starts like zlib for compressed
    scannable = isinstance(source, Path) and not (first.startswith(ZLIB) or BZIP2.match(first))
    try:
        scanned = _scan(table, source if scannable else _as_plain_text(source), expected)
    except (pl.exceptions.ComputeError, *ERRORS):  # not UTF-8, or damaged, which reading it again reports
        scanned = _scan(table, _as_plain_text(source), expected)
    is_fast = pl.col("canonical")
    if expected.extra:  # the first few lines take the slow path, which shows the values of unknown columns
        is_fast &= pl.col("canonical").cum_sum() > EXAMPLES
    odd = scanned.filter(~is_fast)["line"]
    frame = values.with_times(scanned.filter(is_fast) if len(odd) else scanned, table).drop("canonical")
    unknown = Counter[str | None](dict.fromkeys(expected.extra, len(frame)))
    slow = _decode_slowly(table, source, set(odd))
    if len(slow.columns):
        frame = pl.concat([frame, slow.columns.select(frame.columns)]).sort("line")
    return Raw(frame, slow.findings, unknown + slow.unknown, len(scanned))


def numbered_lines(source: Source, numbers: set[int]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of these numbers (from 1) as they stand in the file, without the line feed at their end."""
    if not numbers:
        return
    last = max(numbers)
    with open_source(source) as stream:
        for number, line in enumerate(stream, start=1):
            if number in numbers:
                yield number, line.removesuffix(b"\n")
                if number == last:
                    return


def _as_plain_text(source: Source) -> bytes:
    """Return the text with a control character in place of everything that the line scanner cannot take.

    No pattern matches that character, so these lines take the slow path, which reads the file itself.
    """
    text = read_source(source).decode(errors="replace")
    return text.replace("\ufffd", "\x02").replace("\x01", "\x02").encode()


def _scan(table: Table, source: Source, expected: Canonical) -> pl.DataFrame:
    """Return, in one streaming pass, line numbers, whether lines are canonical, and the columns of those that are."""
    time: pl.DataType = pl.Int64() if expected.epoch else pl.String()
    fields = {column.name: time if column.kind is Kind.TIME else table.schema[column.name] for column in table.columns}
    text = pl.when(pl.col("text").str.contains(expected.pattern)).then("text")
    return (
        pl.scan_lines(source, name="text", row_index_name="line", row_index_offset=1, glob=False)
        .select("line", canonical=text.is_not_null(), fields=text.str.json_decode(pl.Struct(fields)))
        .unnest("fields")
        .collect(engine="streaming")
    )


def _decode_slowly(table: Table, source: Source, numbers: set[int]) -> Raw:
    rows, findings = [], []
    unknown = Counter[str | None]()
    for number, line in numbered_lines(source, numbers):
        row, problems = decode(table, line)
        for problem in problems:
            unknown[problem.column] += problem.rule == "extra"
            if problem.rule != "extra" or unknown[problem.column] <= EXAMPLES:
                findings.append((number, *problem))
        if row is not None:
            rows.append({"line": number, **row})
    raw = {column.name: values.RAW[column.kind] for column in table.columns}
    frame = values.with_times(pl.DataFrame(rows, schema={"line": pl.UInt32, **raw}, orient="row"), table)
    return Raw(frame, pl.DataFrame(findings, schema=values.FINDING, orient="row"), unknown, len(numbers))
