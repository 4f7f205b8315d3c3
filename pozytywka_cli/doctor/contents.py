"""Extras, data and artifacts."""

import re
from importlib import metadata
from pathlib import Path

from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.discovery import locate
from pozytywka_cli.dataset.tables import TABLES
from pozytywka_cli.doctor.finding import Finding
from pozytywka_cli.errors import PozytywkaError
from pozytywka_cli.families.registry import FAMILIES

PACKAGE = "pozytywka"
EXTRA = re.compile(r"([\w.-]+).*; extra == ['\"](\w+)['\"]")


def extras() -> list[Finding]:
    """For each extra the versions of what it brings; missing where any of it is."""
    needed: dict[str, list[str]] = {}
    for line in metadata.requires(PACKAGE) or []:
        if match := EXTRA.fullmatch(line):
            needed.setdefault(match[2], []).append(match[1])
    return [_extra(name, needed[name]) for name in needed]


def data(folder: Path) -> list[Finding]:
    """For each of the five tables its files."""
    return [_table(folder, name) for name in TABLES]


def artifacts(root: Path, plays: Path) -> list[Finding]:
    """The plays, and what serves of each family."""
    made = Finding("artifacts", "plays", str(plays)) if plays.is_file() else None
    return [
        made or Finding("artifacts", "plays", None, "Run `pozytywka transform`."),
        *(_family(root, name) for name in FAMILIES),
    ]


def _extra(name: str, distributions: list[str]) -> Finding:
    found = {distribution: _version(distribution) for distribution in distributions}
    if missing := [distribution for distribution, version in found.items() if version is None]:
        hint = f"Without {', '.join(missing)}: `pip install '{PACKAGE}[{name}]'`."
        return Finding("extras", name, None, hint)
    return Finding("extras", name, ", ".join(f"{distribution} {version}" for distribution, version in found.items()))


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _table(folder: Path, name: str) -> Finding:
    try:
        paths = locate(folder, TABLES[name])
    except PozytywkaError as error:
        return Finding("data", name, None, f"{error.message}. {error.hint}")
    if not paths:
        return Finding("data", name, None, f"Put it into {folder}, or name another folder with --data-dir.")
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return Finding("data", name, f"{paths[0]}{more}, {sum(path.stat().st_size for path in paths):,} bytes")


def _family(root: Path, family: str) -> Finding:
    try:
        manifest = Store(root).load(family).manifest
    except PozytywkaError as error:
        return Finding("artifacts", family, None, f"{error.message}. {error.hint}")
    except OSError as error:
        return Finding("artifacts", family, None, f"cannot read {error.filename}: {error.strerror}. Check the path.")
    return Finding("artifacts", family, f"{manifest.variant} {manifest.version}")
