"""Read a file that a service appends to as it is at one moment; a line that is still being written is for later."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pozytywka_cli import files
from pozytywka_cli.dataset.events import file_name
from pozytywka_cli.dataset.tables import SESSIONS

DAYS = 2  # yesterday's file may have grown until a moment ago


class Seen(NamedTuple):
    """What was read of a file: the SHA-256 and the number of its first bytes, up to a line feed."""

    sha256: str
    size: int

    @classmethod
    def of(cls, content: bytes) -> "Seen":
        """Describe content."""
        return cls(hashlib.sha256(content).hexdigest(), len(content))


def whole_lines(path: Path) -> bytes | None:
    """Return the whole lines of a service's file of events of today or yesterday (UTC); None of any other file.

    Raises:
        OSError: it cannot be read.
    """
    today = datetime.now(UTC).date()
    if path.parent.name != SESSIONS.name or path.name not in (file_name(today - timedelta(n)) for n in range(DAYS)):
        return None
    content = path.read_bytes()
    if content and not content.startswith(b"{"):
        return None  # an archive, an array, or another encoding: no service has written it
    return content[: content.rfind(b"\n") + 1]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of its whole lines if it is growing."""
    content = whole_lines(path)
    return files.sha256(path) if content is None else Seen.of(content).sha256
