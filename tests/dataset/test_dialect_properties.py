"""The same events and tracks in every accepted dialect give the same plays, to the byte."""

import gzip
import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.tables import EVENTS, TABLES
from pozytywka_cli.dataset.transform import transform
from pozytywka_cli.dataset.validate import check

START = datetime(2023, 5, 1, tzinfo=UTC)
Row = dict[str, Any]


def since_1970(moment: datetime) -> int:
    """Milliseconds, exactly."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


TIMES: dict[str, Callable[[datetime], Any]] = {  # of whole milliseconds
    "ISO": lambda moment: moment.replace(tzinfo=None).isoformat(),
    "ISO with a space": lambda moment: moment.replace(tzinfo=None).isoformat(" ", "milliseconds"),
    "ISO with a comma": lambda moment: moment.replace(tzinfo=None).isoformat(" ", "microseconds").replace(".", ","),
    "an offset": lambda moment: (moment + timedelta(hours=2)).replace(tzinfo=None).isoformat() + "+0200",
    "Z": lambda moment: moment.replace(tzinfo=None).isoformat() + "Z",
    "seconds": lambda moment: since_1970(moment) / 1000,
    "seconds as text": lambda moment: f"{since_1970(moment) // 1000}.{since_1970(moment) % 1000:03}",
    "milliseconds": since_1970,
    "milliseconds as float": lambda moment: float(since_1970(moment)),
    "milliseconds as text": lambda moment: str(since_1970(moment)),
    "microseconds": lambda moment: since_1970(moment) * 1000,
    "nanoseconds": lambda moment: since_1970(moment) * 10**6,
}
IDS: dict[str, Callable[[int], Any]] = {"integer": int, "text": str, "float": float}
CASES = {"upper": str.upper, "lower": str.lower, "title": str.title}
GENRES: dict[str, Callable[[list[str]], Any]] = {"list": list, "text": ", ".join}
FLAGS: dict[str, Callable[[int], Any]] = {"integer": int, "boolean": bool, "float": float, "text": str}
CONTAINERS = ("jsonl", "jsonl.gz", "parquet")
DIALECT = st.fixed_dictionaries(
    {
        "time": st.sampled_from(list(TIMES)),
        "id": st.sampled_from(list(IDS)),
        "case": st.sampled_from(list(CASES)),
        "genres": st.sampled_from(list(GENRES)),
        "flag": st.sampled_from(list(FLAGS)),
        "container": st.sampled_from(CONTAINERS),
        "slow": st.booleans(),
    }
)
PLAIN = {"time": "ISO", "id": "integer", "case": "upper", "genres": "list", "flag": "integer", "container": "jsonl"}
EVENT = st.fixed_dictionaries(
    {
        "timestamp": st.integers(0, 10**7).map(lambda number: START + timedelta(milliseconds=number)),
        "user_id": st.integers(1, 3),
        "track_id": st.sampled_from(["t1", "t2"]),
        "event_type": st.sampled_from(EVENTS),
        "session_id": st.integers(1, 2),
    }
)
TRACKS = [
    {"id": "t1", "duration_ms": 200_000, "explicit": 1, "id_artist": "a1"},
    {"id": "t2", "duration_ms": 90_000, "explicit": 0, "id_artist": "a1"},
]


def tables(events: list[Row], dialect: dict[str, Any]) -> dict[str, list[Row]]:
    """The rows of each table, written in a dialect."""
    time, number, flag = TIMES[dialect["time"]], IDS[dialect["id"]], FLAGS[dialect["flag"]]
    return {
        "sessions": [
            event
            | {"timestamp": time(event["timestamp"]), "event_type": CASES[dialect["case"]](event["event_type"])}
            | {key: number(event[key]) for key in ("user_id", "session_id")}
            for event in events
        ],
        "tracks": [
            row | {"duration_ms": number(row["duration_ms"]), "explicit": flag(row["explicit"])} for row in TRACKS
        ],
        "artists": [{"id": "a1", "name": "Ada", "genres": GENRES[dialect["genres"]](["rock", "jazz"])}],
    }


def write(folder: Path, events: list[Row], dialect: dict[str, Any]) -> None:
    """Write a data folder in a dialect; `slow` puts a space into each object."""
    for table, rows in tables(events, dialect).items():
        path = folder / f"{table}.{dialect['container']}"
        if dialect["container"] == "parquet":
            pl.DataFrame(rows).write_parquet(path)
            continue
        space = " " if dialect.get("slow") else ""
        content = "".join(json.dumps(row).replace("{", "{" + space) + "\n" for row in rows).encode()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENT, min_size=1, max_size=12), DIALECT)
def test_every_dialect_gives_the_same_plays(events: list[Row], dialect: dict[str, Any]) -> None:
    """Times, ids, case, genres, flags and containers change no byte of the plays, and no row of the tables."""
    with tempfile.TemporaryDirectory() as place:
        plays, good = [], []
        for name, one in (("plain", PLAIN), ("dialect", dialect)):
            folder = Path(place) / name
            folder.mkdir()
            write(folder, events, one)
            made = pl.read_parquet(transform(folder, Path(place) / f"{name}.parquet").plays)
            plays.append(made.write_ipc(None).getvalue())
            checked = check(folder, ["artists", "tracks", "sessions"])
            good.append({table: checked.good(table) for table in ("artists", "tracks", "sessions")})
        assert plays[0] == plays[1]
        assert all(good[0][table].equals(good[1][table]) for table in good[0])


def test_the_dialects_are_about_the_tables() -> None:
    """The events and tracks above have columns of the schema."""
    assert set(TRACKS[0]) <= TABLES["tracks"].schema.keys()
