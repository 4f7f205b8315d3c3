"""Read JSON lines: a fast path for lines that are written alike, and an exact, slow one for all others."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import polars as pl

from pozytywka_cli.dataset.reading import values
from pozytywka_cli.dataset.reading.containers import Source, is_ordinary, open_source
from pozytywka_cli.dataset.reading.guard import as_polars_source
from pozytywka_cli.dataset.reading.line_blocks import Block, lines_of, read_blocks
from pozytywka_cli.dataset.reading.line_decoder import LONGEST, NOTHING, Canonical, canonical, decode
from pozytywka_cli.dataset.tables import Table

# what decides which forms of lines the fast path expects: lines at several places of each block
PLACES, LOOK_AHEAD, SAMPLED = 4, 25, 1 << 16
FORMS = 6
EXAMPLES = 3


class Raw(NamedTuple):
    """A file as read, before its values are checked.

    columns: `line` (from 1) and the table's columns, a row for each line that is an object
    findings: what is wrong with lines: line, rule, column, value; of an unknown column only on the first few lines
    unknown: how many lines have each column that the schema does not have
    present: the table's columns that at least one line has
    lines: how many lines the file has
    """

    columns: pl.DataFrame
    findings: pl.DataFrame
    unknown: Counter[str | None]
    present: frozenset[str]
    lines: int


def read_lines(table: Table, source: Source) -> Raw:
    """Read a JSONL file, or one JSON array.

    Raises:
        StorageError, OSError, EOFError, zlib.error, ZstdError, BadZipFile, PolarsError: it cannot be read or
            decompressed.
    """
    unknown, present = Counter[str | None](), set[str]()
    parts = _read_clean(table, source, present)
    parts = parts or [_read_block(table, block, unknown, present) for block in read_blocks(source)]
    parts = parts or [_read_block(table, Block(b"\n", range(0)), unknown, present)]
    # one chunk: later steps are slower on many
    columns, findings = (pl.concat(frames).rechunk() for frames in zip(*(part[:2] for part in parts), strict=True))
    return Raw(columns, findings, unknown, frozenset(present), sum(lines for *_, lines in parts))


def _read_clean(table: Table, source: Source, present: set[str]) -> list[tuple[pl.DataFrame, pl.DataFrame, int]]:
    """Return what `_read_block` does, of a whole file whose lines are all canonical and that polars may read by itself.

    Such files are common, and polars decompresses faster than Python does. Return nothing for other files.
    """
    if isinstance(source, bytes) or not is_ordinary(source):
        return []
    with open_source(source) as stream:
        expected = _expected(table, b"\n" + stream.read(SAMPLED))
    if expected is NOTHING or expected.extra:
        return []
    try:
        scanned = _columns(table, as_polars_source(source), expected)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):  # reading in blocks tells what is wrong
        return []
    if not scanned["canonical"].all():
        return []
    scanned = _numbered(scanned, range(1, len(scanned) + 1))
    frame = values.converted(scanned, table).drop("canonical")
    present.update(cells.column for cells in expected.columns)
    return [(frame, pl.DataFrame(schema=values.FINDING), len(frame))]


def _read_block(
    table: Table, block: Block, unknown: Counter[str | None], present: set[str]
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Return the columns and the findings of a block and its number of lines.

    Unknown columns are counted in `unknown`, and the table's columns that lines have are added to `present`.
    """
    expected = _expected(table, block.text)
    scanned = _scan(table, block, expected)
    is_fast = pl.col("canonical")
    if any(unknown[key] < EXAMPLES for key in expected.extra):  # the slow path shows their values
        is_fast &= pl.col("canonical").cum_sum() > EXAMPLES
    odd = scanned.filter(~is_fast)["line"]
    frame = values.converted(scanned.filter(is_fast) if len(odd) else scanned, table).drop("canonical")
    slow, findings = _decode_slowly(table, lines_of(block, set(odd)), unknown, present)
    unknown.update(dict.fromkeys(expected.extra, len(frame)))
    present.update(cells.column for cells in expected.columns if len(frame))
    if len(slow):
        frame = pl.concat([frame, slow.select(frame.columns)]).sort("line")
    return frame, findings, len(scanned)


def _expected(table: Table, text: bytes) -> Canonical:
    """Return the form of most of the lines, from a sample of them, or of a few forms that differ in the keys' order."""
    forms = Counter(form for line in _sample(text) if (form := canonical(table, line.decode(errors="replace"))))
    common = [form for form, _ in forms.most_common(FORMS)]
    return common[0].any_of(common[1:]) if common else NOTHING


def _sample(text: bytes) -> Iterator[bytes]:
    """Yield lines from a few places of a text."""
    for place in range(PLACES):
        start = text.find(b"\n", len(text) * place // PLACES) + 1
        yield from islice(io.BytesIO(memoryview(text)[start : start + SAMPLED]), LOOK_AHEAD)


def _scan(table: Table, block: Block, expected: Canonical) -> pl.DataFrame:
    """Return, in one streaming pass, line numbers, whether lines are canonical, and the columns of those that are."""
    try:
        scanned = _columns(table, block.text, expected)[1:]
    except pl.exceptions.ComputeError:  # not UTF-8: no pattern matches the control character, the slow path says why
        replaced = block.text.decode(errors="replace").replace("\ufffd", "\x02")
        scanned = _columns(table, replaced.encode(), expected)[1:]
    return _numbered(scanned, block.numbers)


def _numbered(scanned: pl.DataFrame, numbers: range | list[int]) -> pl.DataFrame:
    return scanned.insert_column(0, pl.Series("line", numbers, pl.UInt32))


def _columns(table: Table, source: Source, expected: Canonical) -> pl.DataFrame:
    found = {cells.column: (cells.key, cells.dtype) for cells in expected.columns}
    fields = dict(found.get(name, (name, dtype)) for name, dtype in table.schema.items())
    line = pl.col("line")
    expected_line = pl.when(line.str.contains(expected.pattern) & (line.str.len_bytes() <= LONGEST)).then("line")
    cells = expected_line.str.json_decode(pl.Struct(fields)).struct
    # a text that starts like an archive would be decompressed, but the first line of a block is empty
    scanned = pl.scan_lines(source, name="line", glob=False).select(
        canonical=expected_line.is_not_null(), fields=cells.rename_fields(list(table.schema))
    )
    return scanned.unnest("fields").collect(engine="streaming")


def _decode_slowly(
    table: Table, lines: Iterable[tuple[int, bytes]], unknown: Counter[str | None], present: set[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the columns of the lines that are objects, and what is wrong; see `_read_block` for the rest."""
    rows, findings = [], []
    for number, line in lines:
        row, problems = decode(table, line)
        for problem in problems:
            unknown[problem.column] += problem.rule == "extra"
            if problem.rule != "extra" or unknown[problem.column] <= EXAMPLES:
                findings.append((number, *problem))
        if row is not None:
            present.update(row)
            rows.append({"line": number, **row})
    raw = {column.name: values.RAW[column.kind] for column in table.columns}
    frame = values.converted(pl.DataFrame(rows, schema={"line": pl.UInt32, **raw}, orient="row"), table)
    return frame, pl.DataFrame(findings, schema=values.FINDING, orient="row")
