"""Single skip requests from prepared files, without the data."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import DATA, HERE, POZYTYWKA, Figure
from benchmarks.timing import command


def measured(scratch: Path) -> Iterator[Figure]:
    """The figures, one after the other."""
    folders = ("--data-dir", DATA / "pozytywka-2023", "--artifacts-dir", scratch)
    command(POZYTYWKA, "-q", "train", "skip", "--variant", "advanced", *folders)()
    command(sys.executable, HERE / "skip_answers.py", scratch, scratch / "report.json")()
    facts = json.loads((scratch / "report.json").read_text())
    yield Figure("open skip from prepared files: seconds", facts["open"], 1)
    yield Figure("one pair, again about the same user: microseconds", facts["one"], 200)
    yield Figure("one pair, after an event of its user: microseconds", facts["one_forgotten"], 400)
    yield Figure("256 pairs at once, after events of all users: microseconds a pair", facts["many"], 25)
    yield Figure("the process that answers: peak memory, MB", facts["megabytes"], 80)
    yield Figure("a user's record: bytes", facts["bytes_per_user"], 2500)
