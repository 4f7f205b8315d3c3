"""Add faulty lines to the files of a clean sample, each fault in rows of its own, so that none causes another."""

import json
from codecs import BOM_UTF8
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pozytywka_cli.dataset.sample.faults import ABSENT, FAULTS, Fault
from pozytywka_cli.dataset.tables import RULES

Row = dict[str, Any]
NOON = datetime(2026, 1, 4, 12)  # of the last day of every sample
USER: Row = {"city": "Toruń", "street": "ul. Cicha 1", "favourite_genres": ["jazz"], "premium_user": False}
SOUND: Row = {"danceability": 0.5, "energy": 0.5, "key": 5, "loudness": -9.5, "speechiness": 0.05}
SOUND |= {"acousticness": 0.5, "instrumentalness": 0.5, "liveness": 0.2, "valence": 0.5, "tempo": 110.5}
STORAGE: Row = {"storage_class": "SLOW", "daily_cost": 0.01}


def add_faults(folder: Path, artist: str, tracks: pl.Series, listener: int, user: int, session: int) -> list[Row]:
    """Add faulty rows, and the good ones that they need, to the tables in `folder`.

    `artist`, `tracks` and `listener` are known ids; `user` and `session` are the first free ones.

    Returns:
        for each fault: table, rule, column, count, level, fault.
    """
    writer = _FaultWriter(artist, tracks, listener, user, session)
    truth = []
    for table, faults in FAULTS.items():
        for fault in faults:
            for _ in range(fault.count):
                writer.add_fault(table, fault)
            place = {"table": table, "rule": fault.rule, "column": fault.column, "count": fault.count}
            truth.append({**place, "level": RULES[fault.rule].level, "fault": fault.fault})
    for track in writer.unstored:  # so that only tracks of the rule `storage` have no row there
        writer.add("track_storage", {"track_id": track, **STORAGE})
    for table, lines in writer.lines.items():
        path = folder / f"{table}.jsonl"
        front = [line for line in lines if line.startswith(BOM_UTF8)]  # where such a mark stands in real files
        if front:
            path.write_bytes(b"".join([*front, path.read_bytes()]))
        with path.open("ab") as file:
            file.writelines(line for line in lines if line not in front)
    return truth


@dataclass
class _FaultWriter:
    artist: str
    tracks: pl.Series
    listener: int
    user: int
    session: int
    lines: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    # ids of faulty tracks that track_storage does not name yet: a faulty row there that names one neither dangles,
    # nor repeats a key, nor leaves a good track without storage
    unstored: list[str] = field(default_factory=list)
    rows: int = 0

    def add_fault(self, table: str, fault: Fault) -> None:
        row, level = self.good_row(table), RULES[fault.rule].level
        if fault.shares:
            self.add(table, row)
            row = self.good_row(table) | {fault.shares: row[fault.shares]}
        row = {name: value for name, value in (row | fault.change).items() if value is not ABSENT}
        if level == "warning" and fault.rule != "storage":
            self.add(table, row)
        else:
            self.lines[table].append(fault.damage(_text(row)) + b"\n")
        if table == "tracks" and level == "error" and fault.column not in (None, "id"):
            self.unstored.append(row["id"])
        if table == "track_storage" and fault.rule != "json" and row["track_id"] in self.unstored:
            self.unstored.remove(row["track_id"])

    def add(self, table: str, row: Row) -> None:
        """Add a row without an error; a track is stored, too."""
        self.lines[table].append(_text(row) + b"\n")
        if table == "tracks":
            self.add("track_storage", {"track_id": row["id"], **STORAGE})

    def good_row(self, table: str) -> Row:
        """Make a row that differs from all others in its key and name."""
        number, self.rows = self.rows, self.rows + 1
        name, key = f"Planted {number}", f"planted{number:015}"  # as long as any other id
        match table:
            case "users":
                return {"user_id": self.user + number, "name": name, **USER}
            case "artists":
                return {"id": key, "name": name, "genres": ["jazz"]}
            case "tracks":
                facts = {"id": key, "name": name, "popularity": 10, "duration_ms": 200_000, "explicit": 0}
                return {**facts, "id_artist": self.artist, "release_date": "1999-05-17", **SOUND}
            case "sessions":
                play = {"track_id": self.tracks[number % len(self.tracks)], "event_type": "PLAY"}
                moment = (NOON + timedelta(seconds=number)).isoformat()
                return {"timestamp": moment, "user_id": self.listener, **play, "session_id": self.session + number}
            case _:
                return {"track_id": self.unstored[-1], **STORAGE}


def _text(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()
