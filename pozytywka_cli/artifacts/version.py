"""A version whose files were checked against its manifest."""

import hashlib
import os
from collections.abc import Collection
from io import BufferedReader
from mmap import mmap
from pathlib import Path

import msgspec

from pozytywka_cli import files
from pozytywka_cli.artifacts.manifest import DAMAGED_HINT, Manifest, StoredFile
from pozytywka_cli.errors import ArtifactError

MOST_BYTES = 16 * 2**30  # of one file; a million artists with 512 factors take 2 GiB
SMALL_BYTES = 2**20  # hashing a file of this size takes half a millisecond: there is no reason to put it off
OTHER_HASH = "its SHA-256 is not the one in the manifest"


class Version(msgspec.Struct, frozen=True):
    """A saved version whose files were checked.

    unhashed: files whose hash is left to `verify`, which who reads them calls before using their content
    """

    folder: Path
    manifest: Manifest
    unhashed: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Its creation time and the beginning of its fingerprint."""
        return self.manifest.version

    @property
    def prepared(self) -> Path:
        """The folder of what is computed from this version and data, see `prepared`; it may be missing."""
        return self.folder.parents[1] / "prepared" / self.name

    def path(self, name: str) -> Path:
        """Return the path of one of its files; an ArtifactError if the manifest does not list it."""
        if name not in self.manifest.files:
            raise ArtifactError(f"{self.folder / 'manifest.json'} does not list {name}", DAMAGED_HINT)
        return self.folder / name

    def verify(self, name: str, content: mmap) -> None:
        """Check the hash of an `unhashed` file by its mapped content, which stays the same if the file is removed."""
        if hashlib.sha256(content).hexdigest() != self.manifest.files[name].sha256:
            raise ArtifactError(f"{self.folder / name} is damaged: {OTHER_HASH}", DAMAGED_HINT)


def check_files(
    folder: Path, manifest: Manifest, *, hash_limit: int | None = None, hash_later: Collection[str] = ()
) -> Version:
    """Check that a folder holds the listed files and nothing else; an ArtifactError names a bad file.

    Each must be a regular file with its size and, if it has at most `hash_limit` bytes, its hash. That of files in
    `hash_later` with more than `SMALL_BYTES` is left to `Version.verify`.
    """
    most = MOST_BYTES if hash_limit is None else hash_limit
    hashed = {name for name, stored in manifest.files.items() if stored.size <= most}
    unhashed = {name for name in hashed.intersection(hash_later) if manifest.files[name].size > SMALL_BYTES}
    for name, stored in manifest.files.items():
        if name in ("", ".", "..") or set(name) & {"/", "\\", "\0"}:
            problem = f"{folder / 'manifest.json'} is damaged: {name!r} is not the name of a file"
            raise ArtifactError(problem, DAMAGED_HINT)
        check_file(folder / name, stored, hashed=name in hashed - unhashed)
    for path in sorted(folder.iterdir()):
        if path.name not in manifest.files and path.name != "manifest.json":
            raise ArtifactError(f"{path} does not belong there: the manifest does not list it", "Remove it.")
    return Version(folder, manifest, frozenset(unhashed))


def check_file(path: Path, stored: StoredFile, *, hashed: bool) -> None:
    """Check that a regular file has its size and, if wanted, its hash; else an ArtifactError."""
    try:
        with files.open_regular(path, follow=False) as stream:
            problem = _problem(stream, stored, hashed=hashed)
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing", DAMAGED_HINT) from None
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}", DAMAGED_HINT) from None
    if problem:
        raise ArtifactError(f"{path} is damaged: {problem}", DAMAGED_HINT)


def _problem(stream: BufferedReader, stored: StoredFile, *, hashed: bool) -> str | None:
    size = os.fstat(stream.fileno()).st_size
    if size != stored.size:
        return f"it has {size} bytes in place of {stored.size}"
    if size > MOST_BYTES:
        return f"it has more than {MOST_BYTES:,} bytes"
    if not hashed or hashlib.file_digest(stream, "sha256").hexdigest() == stored.sha256:
        return None
    return OTHER_HASH
