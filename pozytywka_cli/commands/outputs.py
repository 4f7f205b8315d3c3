"""Write frames to files, in the format of the suffix."""

import json
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from pozytywka_cli import files
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".parquet", ".csv", ".jsonl")


def check_target(target: Path | None, data: Path, suffixes: tuple[str, ...] = SUFFIXES) -> None:
    """Check before any work is done that a file can be written; None passes.

    Raises:
        UsageError: its suffix names no format, or it is a table of the `data` folder.
        StorageError: it is a folder, or its folder cannot be written to.
    """
    from pozytywka_cli.dataset.reading.data_files import locate
    from pozytywka_cli.dataset.tables import TABLES

    if target is None:
        return
    if target.suffix not in suffixes:
        raise UsageError(f"-o {target}: the suffix names no format", f"End it with {', '.join(suffixes)}.")
    if any(path.resolve() == target.resolve() for table in TABLES.values() for path in locate(data, table)):
        raise UsageError(f"-o {target} would overwrite a table of {data}", "Name another file.")
    files.check_writable(target)


def write_frame(frame: "pl.DataFrame", target: Path) -> None:
    """Write Parquet, CSV or JSONL, completely or not at all.

    In a CSV the fields of a struct are columns, see `flat`, and a list is one cell of JSON.
    """
    with files.replacing(target) as temporary:
        if temporary == target.resolve():  # a pipe or a device, which polars would open twice, and wait for a reader
            buffer = BytesIO()
            _write(frame, target.suffix, buffer)
            target.write_bytes(buffer.getbuffer())
        else:
            _write(frame, target.suffix, temporary)


def _write(frame: "pl.DataFrame", suffix: str, target: Path | BytesIO) -> None:
    import polars as pl

    if suffix == ".parquet":
        frame.write_parquet(target)
    elif suffix == ".csv":
        frame = flat(frame)
        nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
        cells = [pl.Series(name, [json.dumps(value) for value in frame[name].to_list()], pl.String) for name in nested]
        with_text_times(frame).with_columns(cells).write_csv(target)
    else:
        with_text_times(frame).write_ndjson(target)


def flat(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Put the fields of structs into columns of their own, named like `because_kind`."""
    import polars as pl

    return frame.unnest([name for name, kind in frame.schema.items() if kind == pl.Struct], separator="_")


def with_text_times(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Convert times to text, the same in all text formats: ISO 8601, UTC, microseconds."""
    import polars.selectors as cs

    return frame.with_columns(cs.datetime(time_zone="UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
