"""Set bad lines aside as they were, and the good ones as Parquet: good + bad = all lines."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl

from pozytywka_cli import files
from pozytywka_cli.dataset.checking.validate import Checked
from pozytywka_cli.dataset.reading.guard import as_polars_source, reading, shown
from pozytywka_cli.dataset.reading.line_blocks import numbered_lines


def write(checked: Checked, folder: Path, *, good: bool = True) -> dict[str, int]:
    """Write the bad lines and, with `good`, the good rows of each table; return how many lines were bad.

    `bad/<table>.jsonl` holds bad lines as they were, byte for byte up to the longest that is read, and
    `bad/<table>.reasons.jsonl` their files, line numbers and every rule that they break; `good/<table>.parquet` holds
    good rows: `good` is itself a data folder. Rows of a Parquet file are written as JSON.
    """
    counts = {}
    for name in checked.readings:
        if good:
            with files.replacing(folder / "good" / f"{name}.parquet") as temporary:
                checked.good(name).write_parquet(temporary)
        counts[name] = 0
        with (
            files.replacing(folder / "bad" / f"{name}.jsonl") as lines_path,
            files.replacing(folder / "bad" / f"{name}.reasons.jsonl") as reasons_path,
            lines_path.open("wb") as lines,
            reasons_path.open("wb") as reasons,
        ):
            for line, reason in _bad(checked, name):
                lines.write(line + b"\n")
                reasons.write(msgspec.json.encode(reason) + b"\n")
                counts[name] += 1
    return counts


def _bad(checked: Checked, name: str) -> Iterator[tuple[bytes, dict[str, object]]]:
    """Yield the bad lines of a table, in order, each with its file, line number and rules."""
    bad = checked.bad(name)
    for number, path in enumerate(checked.readings[name].paths):
        rules = dict(bad.filter(pl.col("file") == number).select("line", "rules").iter_rows())
        lines = _rows(path, sorted(rules)) if path.suffix == ".parquet" else numbered_lines(path, set(rules))
        for line, raw in lines:
            yield raw, {"file": shown(path), "line": line, "rules": rules[line]}


def _rows(path: Path, numbers: list[int]) -> Iterator[tuple[int, bytes]]:
    """Yield rows of a Parquet file as JSON, bytes in Base64; those inside of lists as Python writes them."""
    if not numbers:
        return
    with reading(path):
        stored = pl.read_parquet(as_polars_source(path), glob=False)[[number - 1 for number in numbers]]
        for cells in stored.select(pl.col(pl.Binary)):
            stored = stored.with_columns(cells.bin.encode("base64"))
        for cells in stored.select(name for name, dtype in stored.schema.items() if "Binary" in str(dtype)):
            stored = stored.with_columns(pl.Series(cells.name, list(map(str, cells))))
        lines = stored.write_ndjson().encode().splitlines()
    yield from zip(numbers, lines, strict=True)
