"""Find the files of each table in a data folder, and those that look like its files and are not read."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from pozytywka_cli.dataset.reading.guard import shown
from pozytywka_cli.dataset.tables import Table
from pozytywka_cli.errors import RefusedError

PACKED = ("", ".gz", ".zst", ".bz2")
SUFFIXES = (".parquet", *(f"{kind}{packed}" for kind in (".jsonl", ".ndjson", ".json") for packed in PACKED))
NOT_DATA = ("_", "readme")  # markers such as _SUCCESS, and notes
BACKUP = re.compile(r"(?:old|bak|backup|copy|orig|original|tmp|temp)[0-9]*")


def locate(folder: Path, table: Table) -> tuple[Path, ...]:
    """Return the files of a table, in the order in which people number them.

    They are `sessions.jsonl`, `sessions-*.jsonl`, `sessions_*.jsonl`, `sessions.*.jsonl` and all files in the folder
    `sessions/`, nested ones too; `.ndjson` and `.json` are the same as `.jsonl`. All may be packed (`.gz`, `.zst`,
    `.bz2`), or they may be `.parquet`. Files whose names say that they are former versions, such as
    `sessions.old.jsonl`, are left out.

    Raises:
        RefusedError: a file stands there in two formats; reading both would count every line twice.
    """
    if not folder.is_dir():
        return ()
    named = [path for path in folder.iterdir() if re.match(rf"{table.name}[-_.]", path.name)]
    inside = _walk(folder / table.name) if (folder / table.name).is_dir() else ()
    paths = [path for path in (*named, *inside) if path.name.endswith(SUFFIXES) and path.is_file()]
    paths = [path for path in paths if not _is_backup(path.relative_to(folder))]
    stems = Counter(map(_stem, paths))
    for path in sorted(paths, key=_natural):
        if stems[_stem(path)] > 1:
            raise RefusedError(f"{shown(path)} stands beside the same file in another format", "Keep one of the two.")
    return tuple(sorted(paths, key=_natural))


def unread(folder: Path, tables: Collection[Table]) -> dict[str, list[Path]]:
    """Return, by table, the files that are named like it, or lie in a folder that is, but are none of its files.

    Hidden files, notes and the folder `truth` of a sample are left out.
    """
    read = {path for table in tables for path in locate(folder, table)}
    by_table: dict[str, list[Path]] = {table.name: [] for table in tables}
    for path in sorted(set(_walk(folder)) - read, key=_natural):
        parts = path.relative_to(folder).parts
        if path.name.lower().startswith(NOT_DATA) or (parts[0] == "truth" and (folder / "truth/sample.json").exists()):
            continue
        owners = [name for part in parts for name in by_table if part.lower().startswith(name)]
        for name in owners[:1]:
            by_table[name].append(path)
    return {name: paths for name, paths in by_table.items() if paths}


def unread_messages(folder: Path, tables: Collection[Table]) -> list[str]:
    """Return a sentence for each table that has files which look like its data and are not read."""
    return [
        f"{len(paths):,} {'file looks' if len(paths) == 1 else 'files look'} like {name} and "
        f"{'is' if len(paths) == 1 else 'are'} not read: {', '.join(map(shown, paths[:3]))}{', …' * (len(paths) > 3)}."
        for name, paths in unread(folder, tables).items()
    ]


def _walk(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield everything in a folder that is no folder, hidden entries left out; a link to a folder above ends there."""
    here = folder.resolve()
    if here in above:
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith("."):
            yield from _walk(path, above | {here})
        elif not path.name.startswith("."):
            yield path


def _is_backup(path: Path) -> bool:
    """Return whether a word of the path below the data folder, such as `old`, marks a former or unfinished version."""
    return any(map(BACKUP.fullmatch, re.split(r"[^a-z0-9]+", str(path).lower())))


def _stem(path: Path) -> Path:
    """Return the path without the suffix that names its format; dots before it belong to the name."""
    return path.with_name(path.name.removesuffix(max((s for s in SUFFIXES if path.name.endswith(s)), key=len)))


def _natural(path: Path) -> list[list[tuple[int, str]]]:
    """Sort numbers in names by value: 2.jsonl before 10.jsonl."""
    pieces = [re.split(r"([0-9]+)", part) for part in path.parts]  # text and numbers in turn
    return [[(int(piece) if at % 2 else 0, piece) for at, piece in enumerate(part)] for part in pieces]
