"""Check extras, data, plays and models."""

import re
from importlib import metadata
from pathlib import Path

from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.data_files import locate
from pozytywka_cli.dataset.tables import TABLES
from pozytywka_cli.doctor.finding import Finding
from pozytywka_cli.errors import PozytywkaError
from pozytywka_cli.families import registry

PACKAGE = "pozytywka"
EXTRA = re.compile(r"([\w.-]+).*; extra == ['\"](\w+)['\"]")


def extras() -> list[Finding]:
    """Return the installed versions for each extra; it is missing if one of its libraries is."""
    libraries: dict[str, list[str]] = {}
    for line in metadata.requires(PACKAGE) or []:
        if match := EXTRA.fullmatch(line):
            libraries.setdefault(match[2], []).append(match[1])
    return [_extra(name, libraries[name]) for name in libraries]


def data(folder: Path) -> list[Finding]:
    """Return the files of each of the five tables."""
    return [_table(folder, name) for name in TABLES]


def artifacts(root: Path, plays: Path) -> list[Finding]:
    """Return the plays and the promoted version of each family."""
    found = str(plays) if plays.is_file() else None
    hint = "" if found else "Make them: `pozytywka transform`."
    return [Finding("artifacts", "plays", found, hint), *(_promoted(root, name) for name in registry.names())]


def _extra(name: str, libraries: list[str]) -> Finding:
    versions = {library: _version(library) for library in libraries}
    if missing := [library for library, version in versions.items() if version is None]:
        variants = _variants(name)
        needed = f" (needed by {', '.join(variants)})" if variants else ""
        hint = f"{', '.join(missing)} not installed{needed}: `pip install '{PACKAGE}[{name}]'`."
        return Finding("extras", name, None, hint)
    return Finding("extras", name, ", ".join(f"{library} {version}" for library, version in versions.items()))


def _variants(extra: str) -> list[str]:
    """Return the variants of all families that need an extra."""
    families = [registry.get(name) for name in registry.names()]
    return [
        f"{one.name} {name}" for one in families for name, variant in one.variants.items() if variant.extra == extra
    ]


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
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


def _promoted(root: Path, family: str) -> Finding:
    try:
        manifest = Store(root).load(family).manifest
    except PozytywkaError as error:
        return Finding("artifacts", family, None, f"{error.message}. {error.hint}")
    except OSError as error:
        return Finding("artifacts", family, None, f"cannot read {error.filename}: {error.strerror}. Check the path.")
    return Finding("artifacts", family, f"{manifest.variant} {manifest.version}")
