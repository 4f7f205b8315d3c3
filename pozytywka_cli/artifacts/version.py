"""A version whose files were checked against its manifest."""

import hashlib
import os
from io import BufferedReader
from pathlib import Path

import msgspec

from pozytywka_cli import files
from pozytywka_cli.artifacts.manifest import DAMAGED_HINT, Manifest, StoredFile
from pozytywka_cli.errors import ArtifactError

MOST_BYTES = 16 * 2**30  # of one file; a million artists with 512 factors take 2 GiB


class Version(msgspec.Struct, frozen=True):
    """A saved version whose files were checked."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """Its creation time and the beginning of its fingerprint."""
        return self.manifest.version

    def path(self, name: str) -> Path:
        """Return the path of one of its files; an ArtifactError if the manifest does not list it."""
        if name not in self.manifest.files:
            raise ArtifactError(f"{self.folder / 'manifest.json'} does not list {name}", DAMAGED_HINT)
        return self.folder / name


def check_files(folder: Path, manifest: Manifest, *, hash_limit: int | None = None) -> Version:
    """Check that a folder holds the listed files and nothing else; an ArtifactError names a bad file.

    Each must be a regular file with its size and, if it has at most `hash_limit` bytes, its hash.
    """
    for name, stored in manifest.files.items():
        if name in ("", ".", "..") or set(name) & {"/", "\\", "\0"}:
            problem = f"{folder / 'manifest.json'} is damaged: {name!r} is not the name of a file"
            raise ArtifactError(problem, DAMAGED_HINT)
        _check(folder / name, stored, hash_limit)
    for path in sorted(folder.iterdir()):
        if path.name not in manifest.files and path.name != "manifest.json":
            raise ArtifactError(f"{path} does not belong there: the manifest does not list it", "Remove it.")
    return Version(folder, manifest)


def _check(path: Path, stored: StoredFile, hash_limit: int | None) -> None:
    try:
        with files.open_regular(path, follow=False) as stream:
            problem = _problem(stream, stored, hash_limit)
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing", DAMAGED_HINT) from None
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}", DAMAGED_HINT) from None
    if problem:
        raise ArtifactError(f"{path} is damaged: {problem}", DAMAGED_HINT)


def _problem(stream: BufferedReader, stored: StoredFile, hash_limit: int | None) -> str | None:
    size = os.fstat(stream.fileno()).st_size
    if size != stored.size:
        return f"it has {size} bytes in place of {stored.size}"
    if size > MOST_BYTES:
        return f"it has more than {MOST_BYTES:,} bytes"
    if hash_limit is not None and size > hash_limit:
        return None
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return None if digest == stored.sha256 else "its SHA-256 is not the one in the manifest"
