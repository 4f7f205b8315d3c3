"""Frames to files, by the file's suffix, and pairs from files or standard input."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pozytywka_cli import files
from pozytywka_cli.commands.inputs import stdin
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".parquet", ".csv", ".jsonl")


def check_target(target: Path | None, data: Path, suffixes: tuple[str, ...] = SUFFIXES) -> None:
    """Refuse a file that could not be written, or must not be, before any work is done.

    Raises:
        UsageError: its suffix names no format, or it is a table of the `data` folder.
    """
    from pozytywka_cli.dataset.discovery import locate
    from pozytywka_cli.dataset.tables import TABLES

    if target is None:
        return
    if target.suffix not in suffixes:
        raise UsageError(f"-o {target}: the suffix names no format", f"End it with {', '.join(suffixes)}.")
    if any(path.resolve() == target.resolve() for table in TABLES.values() for path in locate(data, table)):
        raise UsageError(f"-o {target} would overwrite a table of {data}", "Name another file.")


def write_frame(frame: "pl.DataFrame", target: Path) -> None:
    """Write Parquet, CSV or JSONL, whole or not at all; in a CSV a list is one cell of JSON."""
    with files.replacing(target) as temporary:
        if target.suffix == ".parquet":
            frame.write_parquet(temporary)
        elif target.suffix == ".csv":
            nested = [column for column in frame if column.dtype.is_nested()]
            dated(frame).with_columns(_as_json(column) for column in nested).write_csv(temporary)
        else:
            dated(frame).write_ndjson(temporary)


def dated(frame: "pl.DataFrame") -> "pl.DataFrame":
    """The frame with its moments as text, alike in every format that is text: ISO 8601, UTC, microseconds."""
    import polars.selectors as cs

    return frame.with_columns(cs.datetime(time_zone="UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))


def _as_json(column: "pl.Series") -> "pl.Series":
    import polars as pl

    return pl.Series(column.name, [json.dumps(value) for value in column.to_list()], pl.String)


def read_pairs(given: str) -> "pl.DataFrame":
    """The pairs in a file, or from standard input (`-`) or a pipe: Parquet or JSONL by how it starts, else CSV."""
    from pozytywka_cli.families.skip.pairs import read_pairs as read

    if given != "-" and Path(given).is_dir():
        raise UsageError(f"{given} is a folder", "Name a JSONL, CSV or Parquet file, or - for standard input.")
    if given != "-" and (Path(given).is_file() or not Path(given).exists()):
        return read(Path(given), given)
    content = stdin().read() if given == "-" else Path(given).read_bytes()
    text = ".jsonl" if content.lstrip()[:1] in (b"{", b"[", b"") else ".csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"given{'.parquet' if content[:4] == b'PAR1' else text}"
        path.write_bytes(content)
        return read(path, given)
