"""Write, read and check the manifest of a version.

A manifest is JSON. Numbers that are not finite are null there and NaN when read, for JSON has no NaN; bounds of an
interval are None when read, which means unknown. `digest` is the
SHA-256 over all other fields as JSON with sorted keys and without spaces. Format 1 had no digest, other names for
metrics and protocols, and marked a fallback by a note. Formats 1 and 2 had no `chosen_over`.
"""

import hashlib
import math
import re
from pathlib import Path
from typing import Any

import msgspec

from pozytywka_cli import files
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.records import Gate, Input, Row

FORMAT = 3
MOST_BYTES = 16 * 2**20  # of a manifest: a log of 10,000 files takes 3 MB
DAMAGED_HINT = "Roll back with `pozytywka models rollback`, or train again with --force."
GATE_NUMBERS = ("value", "baseline", "difference", "margin")
FORMAT_1_NAMES = {  # of metrics, then and now; the others had capitals, and spaces in place of underscores
    "AUC": "roc_auc",
    "Brier": "brier_score",
    "ECE": "expected_calibration_error",
    "pinball": "pinball_loss",
    "PM": "sampled_hit_rate@10",
}


class StoredFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a version."""

    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All metadata of a version. It never holds code, class paths or trust lists."""

    format: int = FORMAT
    family: str
    variant: str
    version: str
    parent: str | None
    created: str
    libraries: dict[str, str]
    device: str
    seed: int
    until: str | None
    settings: dict[str, Any]
    inputs: list[Input]
    signature: dict[str, dict[str, str]]
    metrics: list[Row]
    gate: Gate | None
    notes: list[str]
    fingerprint: str
    files: dict[str, StoredFile]
    fallback_for: str | None = None
    chosen_over: str | None = None
    limited: bool = False
    digest: str = ""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` with its digest."""
    digest = _digest(msgspec.to_builtins(manifest))
    (folder / "manifest.json").write_bytes(files.indented_json(msgspec.structs.replace(manifest, digest=digest)))


def read_manifest(folder: Path, family: str, name: str) -> Manifest:
    """Read a manifest; an ArtifactError if it is missing, damaged, of a newer format, or of another version."""
    if folder.is_symlink():
        raise ArtifactError(f"{folder} is a symbolic link, not a version", "Remove it, or put the folder there.")
    path = folder / "manifest.json"
    try:
        manifest = _decoded(path, files.read_regular(path, limit=MOST_BYTES, follow=False))
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing", DAMAGED_HINT) from None
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}", DAMAGED_HINT) from None
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise ArtifactError(f"{path} is damaged: {error}", DAMAGED_HINT) from None
    if (manifest.family, manifest.version) != (family, name):
        problem = f"{folder} contains {manifest.family} {manifest.version}, not {family} {name}"
        raise ArtifactError(problem, "Remove the folder, or move it back to its own name and place.")
    return manifest


def _decoded(path: Path, content: bytes) -> Manifest:
    tree = msgspec.json.decode(content, type=dict[str, Any])
    written = msgspec.convert(tree.get("format"), int)
    if written > FORMAT:
        problem = f"{path} has format {written}; this version of pozytywka reads formats up to {FORMAT}"
        raise ArtifactError(problem, "Upgrade pozytywka, or train again.")
    # the bytes too: a flipped bit may leave the value, as in 1e-9 and 1E-9
    is_whole = tree.get("digest") == _digest(tree) and files.indented_json(tree) == content
    if (written != 1 or "digest" in tree) and not is_whole:
        raise ArtifactError(f"{path} is damaged: its content does not match its digest", DAMAGED_HINT)
    rows = msgspec.convert(tree.get("metrics"), list[Any])
    tree["metrics"] = [_with_nan(row, ("value",)) for row in rows]
    tree["gate"] = _with_nan(tree.get("gate"), GATE_NUMBERS)
    manifest = msgspec.convert(tree, Manifest)
    return manifest if written > 1 else _from_format_1(manifest)


def _digest(tree: dict[str, Any]) -> str:
    content = {name: value for name, value in tree.items() if name != "digest"}
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def _with_nan(record: Any, names: tuple[str, ...]) -> Any:
    if not isinstance(record, dict):
        return record  # null, or damage that the conversion reports
    return {name: math.nan if value is None and name in names else value for name, value in record.items()}


def _from_format_1(manifest: Manifest) -> Manifest:
    """Return the manifest with the present names, and with the field for a fallback."""
    replace, gate = msgspec.structs.replace, manifest.gate
    rows = [replace(row, metric=_metric(row.metric)) for row in manifest.metrics]
    notes = [re.match(r"fallback: .*; (the LSTM|[\w-]+) needs ", note) for note in manifest.notes]
    return replace(
        manifest,
        metrics=[replace(row, protocol="time split") if row.protocol == "time" else row for row in rows],
        gate=gate and replace(gate, metric=_metric(gate.metric)),
        fallback_for=next((note[1].replace("the LSTM", "lstm") for note in notes if note), None),
    )


def _metric(name: str) -> str:
    return FORMAT_1_NAMES.get(name, name.lower().replace(" ", "_"))
