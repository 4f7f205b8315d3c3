"""Write a sample: generate a service and write its tables and its ground truth to a folder."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pozytywka_cli.dataset.sample.events import write_events
from pozytywka_cli.dataset.sample.fault_lines import add_faults
from pozytywka_cli.dataset.sample.folder import MARKER, bytes_of_tables, replacing_sample
from pozytywka_cli.dataset.sample.genres import GENRES
from pozytywka_cli.dataset.sample.listeners import FIRST_USER, user_rows
from pozytywka_cli.dataset.sample.random_draws import Bools
from pozytywka_cli.dataset.sample.world import FIRST_SESSION, World, draw_log, make_world
from pozytywka_cli.errors import UsageError
from pozytywka_cli.records import Progress, Report, silent

MOST_WEEKS = 1000
MOST_USERS = 100_000


@dataclass(frozen=True)
class Sample:
    """What was written: rows of the clean tables, and the number of faults in a dirty sample."""

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
    clean ones; the rest of the ground truth is about the clean ones only. The folder is replaced atomically; a README
    and hidden files in it are kept.

    Raises:
        UsageError: a number is out of range, or the folder holds something else than an earlier sample.
        StorageError: the folder cannot be written.
    """
    _check_numbers(users, weeks, seed)
    with replacing_sample(folder) as new:
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
            faults = add_faults(
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
        raise UsageError(f"--users {users} is too many", f"Use at most {MOST_USERS:,}.")
    if users < 1:
        raise UsageError(f"--users {users} is too few", "Use at least 1.")
    if not 1 <= weeks <= MOST_WEEKS:
        raise UsageError(f"--weeks {weeks} is out of range", f"Use 1 to {MOST_WEEKS}.")
    if seed < 0:
        raise UsageError(f"--seed {seed} is negative", "Use zero or a positive number.")


def _write_log(path: Path, rng: np.random.Generator, world: World, report: Report) -> tuple[int, pl.DataFrame, Bools]:
    """Return the number of events, the truth of the skips, and which users (users,) bought premium."""
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
