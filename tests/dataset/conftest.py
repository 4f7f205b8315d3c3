"""A service of one user, one artist, one track and one play, to which a test adds what it is about."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pozytywka_cli.dataset.checking.validate import Checked, check

Line = str | bytes

NOW = datetime(2024, 1, 1, tzinfo=UTC)
GOOD = {  # column -> JSON text
    "users": {
        "user_id": "1",
        "name": '"Anna Wrona"',
        "city": '"Radom"',
        "street": '"ul. Cicha 3"',
        "favourite_genres": '["rock"]',
        "premium_user": "false",
    },
    "artists": {"id": '"a1"', "name": '"Ada"', "genres": '["rock", "jazz"]'},
    "tracks": {
        "id": '"t1"',
        "name": '"One"',
        "popularity": "50",
        "duration_ms": "200000",
        "explicit": "0",
        "id_artist": '"a1"',
        "release_date": '"2001-02"',
        "danceability": "0.5",
        "energy": "0.5",
        "key": "3",
        "loudness": "-7.5",
        "speechiness": "0.5",
        "acousticness": "0.5",
        "instrumentalness": "0",
        "liveness": "0.5",
        "valence": "1",
        "tempo": "120.5",
    },
    "sessions": {
        "timestamp": '"2023-05-01T10:00:00"',
        "user_id": "1",
        "track_id": '"t1"',
        "event_type": '"PLAY"',
        "session_id": "7",
    },
    "track_storage": {"track_id": '"t1"', "storage_class": '"FAST"', "daily_cost": "0.01"},
}


def good_line(table: str, **changes: str | None) -> str:
    """A good line of a table, with some columns' JSON text changed; None leaves a column out."""
    texts = {**GOOD[table], **changes}
    return "{" + ", ".join(f'"{column}": {text}' for column, text in texts.items() if text is not None) + "}"


@pytest.fixture
def line() -> Callable[..., str]:
    """`line(table, column=JSON text)`: a good line with changes."""
    return good_line


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """`folder(table=bytes, lines or None)`: a data folder; tables that are not named hold one good line."""

    def write(name: str = "data", /, **tables: bytes | Iterable[Line] | None) -> Path:
        place = tmp_path / name
        place.mkdir(exist_ok=True)
        for table in GOOD:
            content = tables.get(table, [good_line(table)])
            if content is None:
                continue
            if not isinstance(content, bytes):
                lines = [text.encode() if isinstance(text, str) else text for text in content]
                content = b"".join(text + b"\n" for text in lines)
            (place / f"{table}.jsonl").write_bytes(content)
        return place

    return write


@pytest.fixture
def checked() -> Callable[..., Checked]:
    """`check` at a fixed moment."""

    def run(place: Path, *tables: Any, **options: Any) -> Checked:
        return check(place, *tables, now=NOW, **options)

    return run


@pytest.fixture
def found(checked: Callable[..., Checked]) -> Callable[..., list[tuple[Any, ...]]]:
    """`found(folder)`: its violations: table, rule, column, level, count and (file:line, value) of each example.

    With a table only its own; with `alone` as well, the other tables are not even read.
    """

    def run(place: Path, table: str | None = None, *, alone: bool = False) -> list[tuple[Any, ...]]:
        return [
            (
                v.table,
                v.rule,
                v.column,
                v.level,
                v.count,
                [(f"{Path(e.file).name}:{e.line}", e.value) for e in v.examples],
            )
            for v in (checked(place, [table]) if alone else checked(place)).violations
            if table in (None, v.table)
        ]

    return run
