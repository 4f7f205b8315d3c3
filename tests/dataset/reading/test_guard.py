"""The guard around calls that read a user's file."""

import io
import os
import sys
import zlib
from pathlib import Path

import polars as pl
import pytest
import zstandard

from pozytywka_cli.dataset.reading.guard import reading, shown
from pozytywka_cli.errors import RefusedError, StorageError


def panic() -> None:
    print("a message", file=sys.stderr)
    pl.DataFrame({"a": [b"binary"]}).write_ndjson()


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(13, "Permission denied"),
        EOFError("cut short"),
        zlib.error("bad block"),
        zstandard.ZstdError("bad frame"),
        pl.exceptions.ComputeError("bad page\nand more"),
        pl.exceptions.ComputeError(""),
    ],
)
def test_a_failure_names_the_file(error: Exception) -> None:
    """Every library's error becomes one line with the file, a reason and what to do."""
    with pytest.raises(StorageError) as raised, reading(Path("a/sessions.jsonl")):
        raise error
    assert raised.value.message.startswith("cannot read a/sessions.jsonl: ")
    assert "\n" not in raised.value.message
    assert raised.value.exit_code == 74
    assert raised.value.hint


def test_a_panic_is_an_error_and_prints_nothing(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault inside of polars is no internal error, and its backtrace does not reach the user."""
    with os.fdopen(os.dup(2), "w", buffering=1) as own:
        monkeypatch.setattr(sys, "stderr", own)
        with pytest.raises(StorageError, match=r"cannot read a\.parquet: .+"), reading("a.parquet"):
            panic()
        os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "a message\nafterwards\n"


@pytest.mark.parametrize("stderr", [None, io.StringIO()])
def test_without_a_stderr_of_its_own(
    stderr: io.StringIO | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In another program, or where stderr is closed, nothing that is written is dropped."""
    monkeypatch.setattr(sys, "stderr", stderr)
    with reading("a"):
        os.write(2, b"a message\n")
    assert capfd.readouterr().err == "a message\n"


@pytest.mark.parametrize("error", [RefusedError("no", "never"), KeyboardInterrupt(), TypeError("a fault")])
def test_other_errors_pass_through(error: BaseException) -> None:
    """Errors of this package, interruptions and faults of the program stay what they are."""
    with pytest.raises(type(error)), reading("a"):
        raise error


def test_names_that_are_not_utf8_are_escaped() -> None:
    """A path can be printed and encoded, whatever its bytes; others stay as they are."""
    assert shown(Path(os.fsdecode(b"logs/a-\xff.jsonl"))) == r"logs/a-\xff.jsonl"
    assert shown("logs/ł é 日.jsonl") == "logs/ł é 日.jsonl"
