"""Write a sample: generate a service and write its tables and its ground truth to a folder."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from pozytywka_cli import files
from pozytywka_cli.dataset.sample.entities import FIRST_USER, Bools, user_rows
from pozytywka_cli.dataset.sample.faults import add_faults
from pozytywka_cli.dataset.sample.truth import FILES, write_truth
from pozytywka_cli.dataset.sample.world import FIRST_SESSION, World, draw_log, make_world
from pozytywka_cli.errors import UsageError
from pozytywka_cli.records import Progress, Report, silent

MOST_USERS, MOST_WEEKS = 100_000, 1000
MARKER = "sample.json"
TRUTHS = {MARKER, "faults.json", *FILES}
EVENT = '{{"timestamp": "{}", "user_id": {}, "track_id": "{}", "event_type": "{}", "session_id": {}}}'


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
    folder: Path, *, users: int = 120, weeks: int = 40, seed: int = 0, dirty: bool = False, report: Report = silent
) -> Sample:
    """Write five tables in the dialect of 2023, and `truth/`, into `folder`; the same arguments give the same bytes.

    A dirty sample holds every fault that a line can have, listed in `truth/faults.json`, in rows of its own beside the
    clean ones; the rest of the ground truth is about the clean ones only. The folder is replaced atomically; a README
    and hidden files in it are kept.

    Raises:
        UsageError: a number is out of range, or the folder holds something else than an earlier sample.
        StorageError: the folder cannot be written.
    """
    for name, number, low, high in (("users", users, 1, MOST_USERS), ("weeks", weeks, 1, MOST_WEEKS)):
        if not low <= number <= high:
            raise UsageError(f"--{name} {number} is out of range", f"Use {low} to {high:,}.")
    if seed < 0:
        raise UsageError(f"--seed {seed} is negative", "Use zero or a positive number.")
    with _replacing(folder) as new:
        design, chance, people = np.random.default_rng(seed).spawn(3)
        world = make_world(design, users, weeks)
        events, skips, premium = _write_log(new / "sessions.jsonl", chance, world, report)
        music, sessions = world.catalogue, skips["session_id"].n_unique()
        _write_rows(new / "users.jsonl", user_rows(people, world.listeners, premium))
        _write_rows(new / "artists.jsonl", music.artists)
        _write_rows(new / "tracks.jsonl", music.tracks)
        _write_rows(new / "track_storage.jsonl", music.storage)
        known = (music.artists["id"][0], music.tracks["id"], FIRST_USER)
        faults = add_faults(new, *known, FIRST_USER + users, FIRST_SESSION + sessions) if dirty else []
        rows = (users, len(music.artists), len(music.tracks), sessions, events, len(skips))
        made = Sample(folder, *rows, sum(fault["count"] for fault in faults))
        write_truth(new / "truth", world, skips)
        _write_json(new / "truth" / "faults.json", faults)
        counts = {name: count for name, count in vars(made).items() if name != "folder"}
        marker = {"weeks": weeks, "seed": seed, "dirty": dirty, **counts, "bytes": _bytes_of_tables(new)}
        _write_json(new / "truth" / MARKER, marker)
    return made


def _write_log(path: Path, rng: np.random.Generator, world: World, report: Report) -> tuple[int, pl.DataFrame, Bools]:
    """Return the number of events, the truth of the skips, and which users (users,) bought premium."""
    count, skips, premium = 0, [], np.zeros(len(world.listeners), dtype=bool)
    with path.open("wb") as file:
        for events, truth in draw_log(rng, world):
            _write_events(events, file)
            count += len(events)
            skips.append(truth)
            buyers = events.filter(pl.col("event_type") == "BUY_PREMIUM")["user_id"].to_numpy()
            premium[buyers - FIRST_USER] = True
            written = truth.select(pl.col("user_id").max() - FIRST_USER + 1).item() or 0
            report(Progress("write users' events", written, len(premium)))
    return count, pl.concat(skips), premium


def _write_events(rows: pl.DataFrame, file: BinaryIO) -> None:
    """Append the lines; as in 2023, whole seconds have no fraction."""
    timestamp = pl.col("timestamp").dt.to_string("%Y-%m-%dT%H:%M:%S%.6f").str.strip_suffix(".000000")
    lines = rows.select(pl.format(EVENT, timestamp, *rows.columns[1:]))
    lines.write_csv(file, include_header=False, quote_style="never")


def _write_rows(path: Path, rows: pl.DataFrame) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows.iter_rows(named=True))
    path.write_bytes("".join(lines).encode())


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of `folder` if the block succeeds; notes and hidden files are kept.

    Raises:
        UsageError: `folder` holds anything else than notes, hidden files and an earlier sample.
        StorageError: it cannot be written.
    """
    with files.explained(folder):
        _check_replaceable(folder.resolve())
    with files.replacing_folder(folder) as new:
        (new / "truth").mkdir()
        yield new
        _check_replaceable(folder.resolve())  # again: writing takes long enough for someone to put a file there
        for path in filter(_is_kept, folder.iterdir() if folder.exists() else ()):
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, new / path.name, symlinks=True)
            else:
                shutil.copy2(path, new / path.name, follow_symlinks=False)


def _is_kept(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower().startswith("readme")


def _bytes_of_tables(folder: Path) -> dict[str, int]:
    """Return the size of every file of a sample, by its name, without the truth and what is kept."""
    tables = (path for path in sorted(folder.iterdir()) if path.name != "truth" and not _is_kept(path))
    return {path.name: path.stat().st_size for path in tables}


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    hint = "Name a new or an empty folder, or one that holds an earlier sample."
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint)
    if folder == Path.cwd():
        raise UsageError(f"{folder} is the current folder, which cannot be replaced", "Name a folder inside it.")
    if not all(map(_is_kept, folder.iterdir())) and not _is_sample(folder):
        raise UsageError(f"{folder} holds files that are not a sample's", hint)


def _is_sample(folder: Path) -> bool:
    """Return whether a folder holds only what `sample` has written: its files by name, its tables by size."""
    try:
        written = json.loads((folder / "truth" / MARKER).read_bytes())["bytes"]
        truths = {path.name for path in (folder / "truth").iterdir()}
        return truths <= TRUTHS and _bytes_of_tables(folder) == written
    except (OSError, ValueError, LookupError, TypeError):
        return False
