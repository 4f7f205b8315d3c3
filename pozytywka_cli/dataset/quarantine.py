"""Set bad lines aside as they were, and the good ones as Parquet: good + bad = all lines."""

from pathlib import Path

import msgspec
import polars as pl

from pozytywka_cli import files
from pozytywka_cli.dataset.line_reader import numbered_lines
from pozytywka_cli.dataset.validate import Checked


def write(checked: Checked, folder: Path, *, good: bool = True) -> dict[str, int]:
    """Write the bad lines and, with `good`, the good rows of each table; return how many lines were bad.

    `bad/<table>.jsonl` holds bad lines as they were, byte for byte, and `bad/<table>.reasons.jsonl` their files, line
    numbers and every rule that they break; `good/<table>.parquet` holds good rows: `good` is itself a data folder.
    """
    counts = {}
    for name, reading in checked.readings.items():
        if good:
            with files.replacing(folder / "good" / f"{name}.parquet") as temporary:
                checked.good(name).write_parquet(temporary)
        bad = checked.bad(name)
        counts[name], lines, reasons = len(bad), [], []
        for number, path in enumerate(reading.paths):
            rules = dict(bad.filter(pl.col("file") == number).select("line", "rules").iter_rows())
            for line, raw in _raw(path, set(rules)):
                lines.append(raw + b"\n")
                reasons.append({"file": str(path), "line": line, "rules": rules[line]})
        with files.replacing(folder / "bad" / f"{name}.jsonl") as temporary:
            temporary.write_bytes(b"".join(lines))
        with files.replacing(folder / "bad" / f"{name}.reasons.jsonl") as temporary:
            temporary.write_bytes(msgspec.json.Encoder().encode_lines(reasons))
    return counts


def _raw(path: Path, numbers: set[int]) -> list[tuple[int, bytes]]:
    if path.suffix != ".parquet":
        return list(numbered_lines(path, numbers))
    ordered = sorted(numbers)
    rows = pl.read_parquet(path, glob=False)[[number - 1 for number in ordered]]
    return list(zip(ordered, rows.write_ndjson().encode().splitlines(), strict=True)) if ordered else []
