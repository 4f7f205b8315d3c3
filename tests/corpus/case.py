"""What a case of the corpus is: a change to a small sample, and what the toolkit must make of it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Data:
    """A data folder of JSON lines that a case may change in any way."""

    folder: Path

    def path(self, table: str) -> Path:
        return self.folder / f"{table}.jsonl"

    def rows(self, table: str) -> list[Row]:
        return [json.loads(line) for line in self.lines(table)]

    def lines(self, table: str) -> list[bytes]:
        return self.path(table).read_bytes().splitlines()

    def write(self, table: str, rows: Iterable[Row | bytes], name: str | None = None) -> None:
        """Write rows as JSON lines, and bytes as they are, to the table's file or one of another name."""
        lines = [row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows]
        (self.folder / (name or f"{table}.jsonl")).write_bytes(b"".join(line + b"\n" for line in lines))

    def each(self, table: str, change: Callable[[Row], Row | bytes]) -> None:
        """Change every row of a table."""
        self.write(table, map(change, self.rows(table)))

    def events(self, kind: str) -> list[int]:
        """Return the positions of the events of a kind."""
        return [number for number, row in enumerate(self.rows("sessions")) if row["event_type"] == kind]


@dataclass(frozen=True)
class Case:
    """A change, and what is expected of `validate` and `transform`.

    rules: how often each rule is broken, by its name; those that are not named are not broken
    code, transform_code: the exit codes of `validate` and `transform`
    lost: how many of the sample's plays are missing after `transform`
    same: whether the plays are those of the sample in every cell, if none is lost
    says: parts of what either command writes to standard error, or of an example of a violation
    quarantine: whether `transform` drops bad lines
    config: the content of `pozytywka.toml`
    """

    name: str
    change: Callable[[Data], None]
    rules: dict[str, int] = field(default_factory=dict)
    code: int = 0
    transform_code: int = 0
    lost: int = 0
    same: bool = True
    says: tuple[str, ...] = ()
    quarantine: bool = False
    config: str = ""

    def __str__(self) -> str:
        """Return the name, which pytest shows."""
        return self.name


def changed(table: str, positions: Iterable[int], **values: Any) -> Callable[[Data], None]:
    """Return a change that sets values in the rows of these positions."""

    def change(data: Data) -> None:
        rows = data.rows(table)
        for position in positions:
            rows[position] |= values
        data.write(table, rows)

    return change


def every(table: str, convert: Callable[[Row], Row | bytes]) -> Callable[[Data], None]:
    """Return a change of every row of a table."""
    return lambda data: data.each(table, convert)
