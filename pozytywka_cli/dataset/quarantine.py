"""Set bad lines aside as they were, and the good ones as Parquet: good + bad = all lines."""

from pathlib import Path

import msgspec
import polars as pl

from pozytywka_cli import files
from pozytywka_cli.dataset.line_reader import numbered_lines
from pozytywka_cli.dataset.read import Reading
from pozytywka_cli.dataset.validate import Checked


def write(checked: Checked, folder: Path) -> dict[str, int]:
    """Write the bad lines and the good rows of each table and return how many lines were bad.

    `good/<table>.parquet` holds the good rows; the folder `good` is itself a data folder.
    """
    for name in checked.readings:
        with files.replacing(folder / "good" / f"{name}.parquet") as temporary:
            checked.good(name).write_parquet(temporary)
    return write_bad(checked, folder)


def write_bad(checked: Checked, folder: Path) -> dict[str, int]:
    """Write the bad lines of each table and return how many there were.

    `bad/<table>.jsonl` holds them as they were, byte for byte, and `bad/<table>.reasons.jsonl` their files, line
    numbers and every rule that they break.
    """
    bad = {name: checked.bad(name) for name in checked.readings}
    for name, lines in bad.items():
        _write_table(checked.readings[name], lines, folder / "bad")
    return {name: len(lines) for name, lines in bad.items()}


def _write_table(reading: Reading, bad: pl.DataFrame, folder: Path) -> None:
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
