"""Streams as they are in real life: closed early, narrow, in another encoding."""

import io
import os
import subprocess
import sys

import pytest

from pozytywka_cli.commands import tables

PROGRAM = [sys.executable, "-m", "pozytywka_cli"]


@pytest.mark.parametrize("command", [["schema"], ["schema", "--json"], ["--help"]])
def test_a_reader_that_leaves_early_is_no_error(command):
    """`| head -1`: nothing on stderr, and 0, whoever noticed it first."""
    with subprocess.Popen([*PROGRAM, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 0


def test_a_letter_that_an_encoding_lacks_becomes_a_question_mark():
    """Whatever else there is to say is said."""
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([*PROGRAM, "--help"], capture_output=True, env=environment, check=True)
    assert '= "?"' in done.stdout.decode("latin-1")


def test_a_narrow_terminal_folds_text_and_cuts_no_number(monkeypatch):
    """Of a table that is wider than 60 columns every figure is still there."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("COLUMNS", "60")
    terminal = Terminal()
    rows = [("Godspeed You! Black Emperor", "2026-01-05", 27_053, 21_456, 32_254, "rising")]
    tables.table("Seconds", ("name", "week", "mean", "q10", "q90", "verdict"), rows, file=terminal)
    assert all(figure in terminal.getvalue() for figure in ("27,053", "21,456", "32,254"))
    assert max(len(line) for line in terminal.getvalue().splitlines() if "│" in line) <= 60


def test_an_output_may_not_be_a_table_that_is_read(pozytywka, sampled, trained):
    """Not even where it has the right suffix: the log would be lost."""
    before = (sampled / "sessions.jsonl").read_bytes()
    target = sampled / ".." / sampled.name / "sessions.jsonl"
    for command in (["predict", "weekly"], ["predict", "skip"], ["plan", "rates", "--budget", "10"]):
        answer = pozytywka(*command, "-o", target, "--data-dir", sampled, "--artifacts-dir", trained)
        assert answer.code == 2
        assert answer.err == f"error: -o {target} would overwrite a table of {sampled}\nName another file.\n"
    assert (sampled / "sessions.jsonl").read_bytes() == before


def test_pairs_are_read_from_a_pipe_and_not_from_a_folder(pozytywka, sampled, trained, tmp_path):
    """As `<(…)` gives them."""
    where = ["--data-dir", sampled, "--artifacts-dir", trained]
    pairs = b'{"user_id": 101, "track_id": "x"}\n'
    done = subprocess.run(
        [*PROGRAM, "predict", "skip", "/dev/stdin", *map(str, where)], input=pairs, capture_output=True, check=True
    )
    assert b"unknown track" in done.stdout
    answer = pozytywka("predict", "skip", tmp_path, *where)
    assert (answer.code, answer.err.splitlines()[0]) == (2, f"error: {tmp_path} is a folder")
