"""What is known about a version before it is made (`Origin`, `Draft`) and after (`Manifest`), and reading that."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import msgspec

from pozytywka_cli import files
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.records import Gate, Input, Row

FORMAT = 1
MEND = "Roll back with `pozytywka models rollback`, or train again with --force."


class Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of an artifact."""

    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything known about a version. It never holds code, class paths or trust lists."""

    format: int
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
    files: dict[str, Stored]
    fallback_for: str | None = None


@dataclass(frozen=True)
class Origin:
    """Everything that decides a training run's result, known before it starts; `until` is exclusive, ISO 8601."""

    family: str
    variant: str
    settings: dict[str, Any]
    seed: int
    device: str
    until: str | None
    inputs: list[Input]

    @cached_property
    def fingerprint(self) -> str:
        """Two runs of one fingerprint give the same model: this package's source is a part of it."""
        inputs = sorted((given.name, given.sha256) for given in self.inputs)
        what = [self.family, self.variant, self.settings, self.seed, self.device, self.until, inputs, _source_hash()]
        return hashlib.sha256(msgspec.json.encode(what, order="sorted")).hexdigest()


@cache
def _source_hash() -> str:
    package = Path(__file__).parents[1]
    return "".join(files.sha256(path)[:16] for path in sorted(package.rglob("*.py")))


@dataclass(frozen=True)
class CardText:
    """The sentences of a model card, for readers who need no statistics.

    question: what the model answers
    protocol: how it was tested
    use, not_for, limits: what to use it for, what not, and what it cannot know
    glossary: what each variant and metric of the tables means, and which way is better
    """

    question: str
    protocol: str
    use: str
    not_for: str
    limits: str
    glossary: dict[str, str]


@dataclass(frozen=True)
class Draft:
    """A trained model that is not saved yet.

    write: puts the model's files into an empty folder
    signature: the `inputs` and `outputs` of a prediction with their types
    metrics: those of the model and of the baselines beside it
    fallback_for: the variant that was asked for, where this one stands in for it because there is too little data
    epochs: a record for each epoch of training
    """

    variant: str
    write: Callable[[Path], None]
    signature: dict[str, dict[str, str]]
    metrics: list[Row]
    card: CardText
    gate: Gate | None = None
    notes: list[str] = field(default_factory=list)
    fallback_for: str | None = None
    epochs: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Version:
    """A saved version whose files were checked."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """Its time of making and the beginning of its fingerprint."""
        return self.manifest.version


class _FormatOnly(msgspec.Struct):
    format: int


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a version's folder.

    Raises:
        ArtifactError: missing, damaged, or of a newer format.
    """
    path = folder / "manifest.json"
    try:
        content = path.read_bytes()
        written = msgspec.json.decode(content, type=_FormatOnly).format
        if written > FORMAT:
            problem = f"{path} has format {written}, and this pozytywka reads up to {FORMAT}"
            raise ArtifactError(problem, "Upgrade pozytywka, or train again.")
        return msgspec.json.decode(content, type=Manifest)
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing", MEND) from None
    except IsADirectoryError:
        raise ArtifactError(f"{path} is damaged: it is a folder", MEND) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path} is damaged: {error}", MEND) from None


def check_file(path: Path, stored: Stored, *, hash_limit: int | None) -> None:
    """Compare a file's size, and its hash unless it is larger than `hash_limit` bytes, with the manifest's.

    Raises:
        ArtifactError: missing or damaged.
    """
    if not path.is_file():
        raise ArtifactError(f"{path} is missing", MEND)
    size = path.stat().st_size
    if size != stored.size:
        raise ArtifactError(f"{path} is damaged: it has {size} bytes, and {stored.size} were written", MEND)
    if (hash_limit is None or size <= hash_limit) and files.sha256(path) != stored.sha256:
        raise ArtifactError(f"{path} is damaged: its SHA-256 differs from the manifest's", MEND)
