"""Bad lines set aside as they were, beside the good ones as Parquet: good + bad = all."""

from pathlib import Path

import msgspec
import polars as pl

from pozytywka_cli import files
from pozytywka_cli.dataset.read import Reading, numbered_lines
from pozytywka_cli.dataset.validate import Checked


def write(checked: Checked, folder: Path) -> dict[str, int]:
    """Write each table's lines apart and return how many were bad.

    `good/<table>.parquet` holds the good rows and is itself a data folder. `bad/<table>.jsonl` holds the bad lines as
    they were, byte for byte, and `bad/<table>.reasons.jsonl` their files, line numbers and every rule that they break.
    """
    counts = {}
    for name, reading in checked.readings.items():
        bad = checked.bad(name)
        with files.replacing(folder / "good" / f"{name}.parquet") as temporary:
            checked.good(name).write_parquet(temporary)
        _write_bad(reading, bad, folder / "bad")
        counts[name] = len(bad)
    return counts


def _write_bad(reading: Reading, bad: pl.DataFrame, folder: Path) -> None:
    name = reading.table.name
    lines, reasons = [], []
    for number, path in enumerate(reading.paths):
        here = bad.filter(pl.col("file") == number)
        rules = dict(here.select("line", "rules").iter_rows())
        for line, raw in _raw(path, set(rules)):
            lines.append(raw)
            reasons.append(msgspec.json.encode({"file": str(path), "line": line, "rules": rules[line]}))
    for target, content in ((folder / f"{name}.jsonl", lines), (folder / f"{name}.reasons.jsonl", reasons)):
        with files.replacing(target) as temporary:
            temporary.write_bytes(b"".join(line + b"\n" for line in content))


def _raw(path: Path, numbers: set[int]) -> list[tuple[int, bytes]]:
    if path.suffix != ".parquet":
        return list(numbered_lines(path, numbers))
    ordered = sorted(numbers)
    rows = pl.read_parquet(path, glob=False)[[number - 1 for number in ordered]]
    return list(zip(ordered, rows.write_ndjson().encode().splitlines(), strict=True)) if ordered else []
