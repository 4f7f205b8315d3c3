"""Files to typed frames that know the file and line of each row. Nothing is repaired and nothing is lost."""

import gzip
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import polars as pl

from pozytywka_cli.dataset import parquet_reader, values
from pozytywka_cli.dataset.line_decoder import NOTHING, Canonical, canonical, decode
from pozytywka_cli.dataset.tables import Kind, Table
from pozytywka_cli.errors import RefusedError, StorageError
from pozytywka_cli.records import Progress, Report, silent

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
GZIP = b"\x1f\x8b"
UNZIPPED = (b"x\x01", b"x\x9c", b"x\xda", b"(\xb5/\xfd")  # zlib and zstd, which the line scanner would unpack unasked
EXTRAS_SHOWN = 3
LOOK_AHEAD = 100  # lines that decide which keys, in which order, the fast path expects
FINDINGS = {"file": pl.UInt32, **values.FINDING}


@dataclass(frozen=True)
class Reading:
    """A table as read.

    frame: one row for each line that is an object: the table's columns, `file` (a position in `paths`) and `line` (from
        1), in the order of the files. A cell without a usable value is null.
    findings: what is wrong already: file, line, rule, column (null: the line as a whole), value.
    spelled: how often each spelling of a column of fixed words occurs, if that was asked for.
    blanks: how often each column is null, empty or -1, as written, if that was asked for.
    """

    table: Table
    paths: tuple[Path, ...]
    lines: int
    frame: pl.DataFrame
    findings: pl.DataFrame
    spelled: dict[str, Counter[str]] = field(default_factory=dict)
    blanks: dict[str, Counter[str]] = field(default_factory=dict)


def locate(folder: Path, table: Table) -> tuple[Path, ...]:
    """The files of a table: `sessions.jsonl`, `sessions-*.jsonl`, those in `sessions/`; also `.jsonl.gz`, `.parquet`.

    Raises:
        RefusedError: one file stands there in two formats, and reading both would count every line twice.
    """
    found = [*folder.glob(f"{table.name}.*"), *folder.glob(f"{table.name}-*"), *(folder / table.name).glob("*")]
    files = [path for path in found if path.name.endswith(SUFFIXES) and path.name[0] != "." and path.is_file()]
    paths = sorted(files, key=_natural)
    stems = Counter(path.with_name(path.name.split(".")[0]) for path in paths)
    for path in paths:
        if stems[path.with_name(path.name.split(".")[0])] > 1:
            raise RefusedError(f"{path} stands beside the same file in another format", "Keep one of the two.")
    return tuple(paths)


def _natural(path: Path) -> list[list[tuple[int, str]]]:
    """The order in which people number files: 2.jsonl before 10.jsonl."""
    words = [re.split(r"([0-9]+)", part) for part in path.parts]  # words and numbers in turn
    return [[(int(word) if at % 2 else 0, word) for at, word in enumerate(part)] for part in words]


def read(table: Table, paths: tuple[Path, ...], *, counts: bool = False, report: Report = silent) -> Reading:
    """Read the files of a table; with `counts`, count how words are spelled and what is left blank.

    Raises:
        StorageError: a file cannot be read or decompressed.
    """
    parts = []
    for number, path in enumerate(paths):
        report(Progress(f"read {table.name}", number, len(paths)))
        parts.append(_read_file(table, number, path, counts=counts))
    report(Progress(f"read {table.name}", len(paths), len(paths)))
    frame = pl.concat([part.frame for part in parts]) if parts else pl.DataFrame(schema=_schema(table))
    return Reading(
        table,
        paths,
        sum(part.lines for part in parts),
        frame,
        pl.concat([pl.DataFrame(schema=FINDINGS), *(part.findings for part in parts)]),
        _total(part.spelled for part in parts),
        _total(part.blanks for part in parts),
    )


def _total(parts: Iterable[dict[str, Counter[str]]]) -> dict[str, Counter[str]]:
    total: dict[str, Counter[str]] = defaultdict(Counter)
    for part in parts:
        for name, counts in part.items():
            total[name].update(counts)
    return dict(total)


def _schema(table: Table) -> dict[str, Any]:
    words = {column.name: pl.Enum(column.words) for column in table.columns if column.words}
    return {**table.schema, **words, "file": pl.UInt32, "line": pl.UInt32}


def _read_file(table: Table, number: int, path: Path, *, counts: bool) -> Reading:
    try:
        if path.suffix == ".parquet":
            raw, findings, lines = parquet_reader.read_parquet(table, path)
        else:
            raw, findings, lines = _read_lines(table, path)
    except (OSError, EOFError, zlib.error, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = (str(getattr(error, "strerror", None) or error).splitlines() or ["damaged"])[0]
        raise StorageError(f"cannot read {path}: {reason}", "Check the file, or copy it again.") from None
    frame, more = values.typed(table, raw)
    found = pl.concat([findings, more]).with_columns(pl.lit(number, pl.UInt32).alias("file"))
    frame = frame.select(*table.schema, pl.lit(number, pl.UInt32).alias("file"), "line")
    reading = Reading(table, (path,), lines, frame, found.select(*FINDINGS))
    return replace(reading, spelled=values.spelled(table, raw), blanks=values.blanks(table, raw)) if counts else reading


def _read_lines(table: Table, path: Path) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """The raw columns of a JSONL file with their line numbers, what is wrong with its lines, and how many it has."""
    expected = _expected(table, path)
    try:
        scanned = _scan(table, _defused(path) if _magic(path).startswith(UNZIPPED) else path, expected)
    except pl.exceptions.ComputeError:  # bad UTF-8, or a damaged .gz, which reading it again names
        scanned = _scan(table, _defused(path), expected)
    odd = scanned.filter(~pl.col("canonical"))["line"]
    fast = values.with_times(scanned.filter("canonical") if len(odd) else scanned, table)
    slow, findings = _decode_slowly(table, path, set(odd))
    columns = [name for name in fast.columns if name != "canonical"]
    frame = (
        fast.select(columns)
        if slow.is_empty()
        else pl.concat([fast.select(columns), slow.select(columns)]).sort("line")
    )
    return frame, pl.concat([_extra(table, path, fast["line"], expected.extra), findings]), len(scanned)


def _extra(table: Table, path: Path, lines: pl.Series, names: tuple[str, ...]) -> pl.DataFrame:
    """A finding for each canonical line and each key that the schema does not have; the first few know the value."""
    named = pl.DataFrame({"column": names}, schema={"column": pl.String})
    found = pl.DataFrame({"line": lines}).join(named, how="cross")
    first = set(lines.head(EXTRAS_SHOWN) if names else [])
    _, shown = _decode_slowly(table, path, first)
    found = found.join(shown, on=["line", "column"], how="left", maintain_order="left")
    return found.select("line", pl.lit("extra").alias("rule"), "column", pl.col("value").fill_null(""))


def _expected(table: Table, path: Path) -> Canonical:
    """How most of the first lines are written."""
    with _open(path) as stream:
        heads = [line for line, _ in zip(stream, range(LOOK_AHEAD), strict=False)]
    found = Counter(like for head in heads if (like := canonical(table, head.decode(errors="replace"))))
    return found.most_common(1)[0][0] if found else NOTHING


def _defused(path: Path) -> bytes:
    """The file's text without anything that the line scanner stumbles on.

    In its place stands a control character, which matches no pattern: such lines take the slow path.
    """
    with _open(path) as stream:
        text = stream.read().decode(errors="replace")
    return text.replace("\ufffd", "\x02").replace("\x01", "\x02").encode()


def _scan(table: Table, source: Path | bytes, expected: Canonical) -> pl.DataFrame:
    """One streaming pass: line number, whether the line is canonical, and the columns of those that are."""
    time: pl.DataType = pl.Int64() if expected.epoch else pl.String()
    fields = {column.name: time if column.kind is Kind.TIME else table.schema[column.name] for column in table.columns}
    text = pl.when(pl.col("text").str.contains(expected.pattern)).then("text")
    return (
        pl.scan_lines(source, name="text", row_index_name="line", row_index_offset=1, glob=False)
        .select("line", canonical=text.is_not_null(), fields=text.str.json_decode(pl.Struct(fields)))
        .unnest("fields")
        .collect(engine="streaming")
    )


def _decode_slowly(table: Table, path: Path, numbers: set[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows, found = [], []
    for number, line in numbered_lines(path, numbers):
        row, findings = decode(table, line)
        found += [(number, *finding) for finding in findings]
        if row is not None:
            rows.append({"line": number, **row})
    raw = {column.name: values.RAW[column.kind] for column in table.columns}
    frame = pl.DataFrame(rows, schema={"line": pl.UInt32, **raw}, orient="row")
    return values.with_times(frame, table), pl.DataFrame(found, schema=values.FINDING, orient="row")


def numbered_lines(path: Path, numbers: set[int]) -> Iterator[tuple[int, bytes]]:
    """The lines of these numbers (from 1) as they stand in the file, without the line feed at their end."""
    if not numbers:
        return
    last = max(numbers)
    with _open(path) as stream:
        for number, line in enumerate(stream, start=1):
            if number in numbers:
                yield number, line.removesuffix(b"\n")
                if number == last:
                    return


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if _magic(path).startswith(GZIP) else path.open("rb")  # type: ignore[return-value]


def _magic(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(4)
