"""Frames to files, by the file's suffix, and pairs from files or standard input."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pozytywka_cli import files
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".parquet", ".csv", ".jsonl")


def check_suffix(target: Path | None) -> None:
    """Refuse a file that could not be written, before any work is done.

    Raises:
        UsageError: its suffix names no format.
    """
    if target is not None and target.suffix not in SUFFIXES:
        raise UsageError(f"-o {target}: the suffix names no format", f"End it with {', '.join(SUFFIXES)}.")


def write_frame(frame: "pl.DataFrame", target: Path) -> None:
    """Write Parquet, CSV or JSONL, whole or not at all."""
    with files.replacing(target) as temporary:
        if target.suffix == ".parquet":
            frame.write_parquet(temporary)
        elif target.suffix == ".csv":
            frame.write_csv(temporary)
        else:
            frame.write_ndjson(temporary)


@contextmanager
def as_file(given: str) -> Iterator[Path]:
    """The path given; for `-` a file with what came on standard input (CSV, or JSONL where it starts with a brace)."""
    if given != "-":
        yield Path(given)
        return
    content = sys.stdin.buffer.read()
    suffix = ".jsonl" if content.lstrip()[:1] in (b"{", b"") else ".csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"stdin{suffix}"
        path.write_bytes(content)
        yield path
