"""Write a sample: draw a world and put its tables and its truth into a folder."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pozytywka_cli.dataset.sample.draw import Bools
from pozytywka_cli.dataset.sample.events import write_events
from pozytywka_cli.dataset.sample.folder import MARKER, bytes_of_tables, replacing
from pozytywka_cli.dataset.sample.genres import GENRES
from pozytywka_cli.dataset.sample.listeners import FIRST_USER, user_rows
from pozytywka_cli.dataset.sample.plant import plant_faults
from pozytywka_cli.dataset.sample.world import FIRST_SESSION, World, draw_log, make_world
from pozytywka_cli.errors import UsageError
from pozytywka_cli.records import Progress, Report, silent

MOST_WEEKS = 1000
MOST_USERS = 100_000


@dataclass(frozen=True)
class Sample:
    """What was written: rows of the clean tables, and the number of faults planted beside them."""

    folder: Path
    users: int
    artists: int
    tracks: int
    sessions: int
    events: int
    plays: int
    faults: int


def write_sample(
    folder: Path,
    *,
    users: int = 120,
    weeks: int = 40,
    seed: int = 0,
    dirty: bool = False,
    report: Report = silent,
) -> Sample:
    """Write five tables in the dialect of 2023, and `truth/`, into `folder`; the same arguments give the same bytes.

    A dirty sample holds every fault that a line can have, listed in `truth/faults.json`, in rows of its own beside the
    clean ones, of which alone the rest of the truth speaks. A missing table is not among the faults.

    Raises UsageError for a number that cannot be used and for a folder that holds anything but a former sample, which
    is replaced; StorageError where writing fails. The folder appears as a whole or not at all.
    """
    _check_numbers(users, weeks, seed)
    with replacing(folder) as new:
        design, chance, people = np.random.default_rng(seed).spawn(3)
        world = make_world(design, users, weeks)
        events, skips, premium = _write_log(new / "sessions.jsonl", chance, world, report)
        music, sessions = world.catalogue, skips["session_id"].n_unique()
        _write_rows(new / "users.jsonl", user_rows(people, world.listeners, premium))
        _write_rows(new / "artists.jsonl", music.artists)
        _write_rows(new / "tracks.jsonl", music.tracks)
        _write_rows(new / "track_storage.jsonl", music.storage)
        faults: list[dict[str, Any]] = []
        if dirty:
            faults = plant_faults(
                new,
                artist=music.artists["id"][0],
                tracks=music.tracks["id"],
                listener=FIRST_USER,
                user=FIRST_USER + users,
                session=FIRST_SESSION + sessions,
            )
        counts = {
            "users": users,
            "artists": len(music.artists),
            "tracks": len(music.tracks),
            "sessions": sessions,
            "events": events,
            "plays": len(skips),
            "faults": sum(fault["count"] for fault in faults),
        }
        _write_truth(new / "truth", world, skips)
        _write_json(new / "truth" / "faults.json", faults)
        made = {"weeks": weeks, "seed": seed, "dirty": dirty, **counts, "bytes": bytes_of_tables(new)}
        _write_json(new / "truth" / MARKER, made)
    return Sample(folder=folder, **counts)


def _check_numbers(users: int, weeks: int, seed: int) -> None:
    if users > MOST_USERS:
        raise UsageError(f"--users is {users}", f"Ask for at most {MOST_USERS:,}.")
    if users < 1:
        raise UsageError(f"--users is {users}", "Ask for at least one user.")
    if not 1 <= weeks <= MOST_WEEKS:
        raise UsageError(f"--weeks is {weeks}", f"Ask for 1 to {MOST_WEEKS} weeks.")
    if seed < 0:
        raise UsageError(f"--seed is {seed}", "Use zero or a positive number.")


def _write_log(path: Path, rng: np.random.Generator, world: World, report: Report) -> tuple[int, pl.DataFrame, Bools]:
    """Number of events, truth of the skips, and which users (users,) bought premium."""
    count, skips, premium = 0, [], np.zeros(len(world.listeners), dtype=bool)
    with path.open("wb") as file:
        for events, truth in draw_log(rng, world):
            write_events(events, file)
            count += len(events)
            skips.append(truth)
            buyers = events.filter(pl.col("event_type") == "BUY_PREMIUM")["user_id"].to_numpy()
            premium[buyers - FIRST_USER] = True
            written = truth.select(pl.col("user_id").max() - FIRST_USER + 1).item() or 0
            report(Progress("write users' events", written, len(premium)))
    return count, pl.concat(skips), premium


def _write_truth(folder: Path, world: World, skips: pl.DataFrame) -> None:
    ids = world.catalogue.artists["id"]
    artists, weeks = world.rates.shape
    mondays = pl.Series([world.start.date() + timedelta(weeks=week) for week in range(weeks)])
    week = pl.concat([mondays] * artists)
    rates = pl.DataFrame({"artist_id": ids.repeat_by(weeks).explode(), "week": week, "rate": world.rates.ravel()})
    genre = np.array(GENRES)[world.catalogue.genre]
    levels = pl.DataFrame({"id": ids, "name": world.catalogue.artists["name"], "genre": genre, "level": world.levels})
    skips.write_parquet(folder / "skips.parquet")
    rates.write_parquet(folder / "weeks.parquet")
    levels.write_parquet(folder / "artists.parquet")


def _write_rows(path: Path, rows: pl.DataFrame) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows.iter_rows(named=True))
    path.write_bytes("".join(lines).encode())


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
