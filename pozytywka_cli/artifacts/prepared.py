"""What is computed from a version and data, so that it answers single requests at once: files to be memory-mapped.

It lies in `FAMILY/prepared/VERSION/`, and can be made again at any time. Who has opened the files checks afterwards
that `prepared.json` is still the same: another run may have replaced the folder meanwhile.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from pozytywka_cli import files
from pozytywka_cli.artifacts.manifest import MOST_BYTES, StoredFile
from pozytywka_cli.artifacts.version import Version, check_file
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.records import Input

FORMAT = 1
FILE = "prepared.json"
HASHED_BYTES = 16 * 2**20  # of larger files only the size is checked
HINT = "Make it again: `pozytywka models prepare`."

T = TypeVar("T")


class Prepared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of `prepared.json`.

    version: the version that it was prepared for
    code: the digest of the code that prepared it, see `fingerprint.source_digest`
    inputs: the files of the data
    files: the other files of the folder
    """

    version: str
    created: str
    code: str
    inputs: list[Input]
    files: dict[str, StoredFile]
    format: int = FORMAT


def write(version: Version, code: str, inputs: list[Input], prepare: Callable[[Path], None]) -> None:
    """Let `prepare` write into an empty folder, which takes the place of what was prepared before.

    Raises:
        StorageError: it cannot be written.
    """
    with files.replacing_folder(version.prepared) as folder:
        prepare(folder)
        stored = {path.name: StoredFile(files.sha256(path), path.stat().st_size) for path in sorted(folder.iterdir())}
        prepared = Prepared(version.name, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", code, inputs, stored)
        (folder / FILE).write_bytes(files.indented_json(prepared))
        for path in (*folder.iterdir(), folder):
            files.flush(path)


def current(version: Version, code: str) -> Prepared | None:
    """Return what is prepared for a version; None if there is nothing, or other code prepared it."""
    try:
        content = files.read_regular(version.prepared / FILE, limit=MOST_BYTES, follow=False)
        prepared = msgspec.json.decode(content, type=Prepared)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return prepared if (prepared.version, prepared.code, prepared.format) == (version.name, code, FORMAT) else None


def opened(version: Version, code: str, reader: Callable[[Path], T]) -> tuple[Prepared, T]:
    """Return what `reader` makes of the folder, whose files are checked before.

    Raises:
        ArtifactError: nothing is prepared, or a file is damaged.
    """
    while True:
        prepared = current(version, code)
        if prepared is None:
            made = version.manifest
            hint = f"Prepare it: `pozytywka models prepare {made.family} {made.version}`."
            raise ArtifactError(f"nothing is prepared for {made.family} {made.version}", hint)
        try:
            for name, stored in prepared.files.items():
                check_file(version.prepared / name, stored, hashed=stored.size <= HASHED_BYTES)
            content = reader(version.prepared)
        except (ArtifactError, OSError) as error:
            if current(version, code) == prepared:
                raise ArtifactError(f"{version.prepared} cannot be opened: {error}", HINT) from None
            continue  # another run has replaced it meanwhile
        if current(version, code) == prepared:
            return prepared, content
