"""Save a version: write its files, its card and its manifest, and read them back."""

from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import msgspec

from pozytywka_cli import files
from pozytywka_cli.artifacts.draft import Draft, Origin, card
from pozytywka_cli.artifacts.manifest import Manifest, StoredFile, read_manifest, write_manifest
from pozytywka_cli.artifacts.version import Version, check_files
from pozytywka_cli.errors import ArtifactError

LIBRARIES = ("pozytywka", "polars", "numpy", "torch", "scikit-learn", "implicit")


def save(versions: Path, origin: Origin, draft: Draft, *, parent: str | None) -> Version:
    """Write a new version into the folder `versions`; `parent` is the promoted one. For errors see `Store.save`."""
    created = datetime.now(UTC)
    target = versions / f"{created:%Y%m%dT%H%M%SZ}-{origin.fingerprint[:8]}"
    while target.exists():  # the same run again within a second
        target = target.with_name(f"{target.name}+")
    with files.replacing_folder(target) as folder:
        draft.write(folder)
        (folder / "card.md").write_text(card(origin, draft), encoding="utf-8")
        metrics = {"rows": draft.metrics, "epochs": draft.epochs}
        (folder / "metrics.json").write_bytes(files.indented_json(metrics))
        write_manifest(folder, _manifest(origin, draft, created, folder, target.name, parent))
        mode = (folder / "manifest.json").stat().st_mode
        for path in folder.iterdir():
            path.chmod(mode)  # some libraries write files that only their owner can read
            files.flush(path)
        files.flush(folder)
        version = _read_back(folder, origin.family, target.name)
    return msgspec.structs.replace(version, folder=target)


def _manifest(origin: Origin, draft: Draft, created: datetime, folder: Path, name: str, parent: str | None) -> Manifest:
    return Manifest(
        family=origin.family,
        variant=draft.variant,
        version=name,
        parent=parent,
        created=f"{created:%Y-%m-%dT%H:%M:%SZ}",
        libraries={library: metadata.version(library) for library in LIBRARIES},
        device=origin.device,
        seed=origin.seed,
        until=origin.until,
        settings=origin.settings,
        inputs=origin.inputs,
        signature=draft.signature,
        metrics=draft.metrics,
        gate=draft.gate,
        notes=draft.notes,
        fingerprint=origin.fingerprint,
        files={path.name: StoredFile(files.sha256(path), path.stat().st_size) for path in sorted(folder.iterdir())},
        fallback_for=draft.fallback_for,
        chosen_over=draft.chosen_over,
        limited=draft.limited,
    )


def _read_back(folder: Path, family: str, name: str) -> Version:
    try:
        return check_files(folder, read_manifest(folder, family, name))
    except ArtifactError as error:
        problem = f"{family} {name} was not saved, for it cannot be read back: {error.message}"
        raise ArtifactError(problem, "Check the disk. If the same happens again, please report it.") from None
