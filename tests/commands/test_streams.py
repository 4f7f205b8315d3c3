"""Streams as they are in real life: closed early, narrow, in another encoding."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pozytywka_cli.commands import tables
from pozytywka_cli.commands.console import literal
from pozytywka_cli.commands.outputs import write_frame

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
    monkeypatch.setattr(sys, "stdout", terminal)
    rows = [("Godspeed You! Black Emperor", "2026-01-05", 27_053, 21_456, 32_254, "rising")]
    tables.table("Seconds", ("name", "week", "mean", "q10", "q90", "verdict"), rows)
    lines = re.sub(r"\x1b\[\d*m", "", terminal.getvalue()).splitlines()
    assert all(figure in "".join(lines) for figure in ("27,053", "21,456", "32,254"))
    assert max(map(len, lines)) <= 60


def test_an_output_may_not_be_a_table_that_is_read(pozytywka, sampled, trained):
    """Not even where it has the right suffix: the log would be lost."""
    before = (sampled / "sessions.jsonl").read_bytes()
    target = sampled / ".." / sampled.name / "sessions.jsonl"
    for command in (["predict", "weekly"], ["predict", "skip"], ["plan", "rates", "--budget", "10"]):
        answer = pozytywka(*command, "-o", target, "--data-dir", sampled, "--artifacts-dir", trained)
        assert answer.code == 2
        assert f"-o {target}" in answer.err
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
    assert (answer.code, str(tmp_path) in answer.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("椎名　林檎", "椎名　林檎"),
        ("non\u00a0breaking, zero\u200dwidth, soft\u00adhyphen", None),
        ("[/b] [spunge] -x", None),
        ("bell\x07 escape\x1b[2J tab\t c1\x9b return\r", r"bell\x07 escape\x1b[2J tab\t c1\x9b return\r"),
        ("over\u202eride iso\u2067late", r"over\u202eride iso\u2067late"),
    ],
)
def test_only_characters_that_a_terminal_obeys_are_escaped(text, shown):
    """Everything else is output as it is, so that it can be input again."""
    assert literal(text) == (shown or text)
    assert tables.cell(text) == (shown or text)


def test_a_name_that_is_printed_is_found_again(pozytywka, trained, monkeypatch):
    """`similar NAME | similar -`, with an ideographic space."""
    name = pozytywka("similar", "Rosetta", "-n", "1", "--artifacts-dir", trained).out
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": io.BytesIO(name.encode())}))
    assert pozytywka("similar", "-", "--artifacts-dir", trained).code == 0


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_a_reader_of_a_file_that_leaves_early_is_no_error(sampled, trained, tmp_path, suffix):
    """A named pipe as -o, closed before all is written: nothing on stderr, and 0."""
    pipe = tmp_path / f"forecast.{suffix}"
    os.mkfifo(pipe)
    command = [*PROGRAM, "-q", "predict", "skip", "-o", str(pipe)]
    where = ["--data-dir", str(sampled), "--artifacts-dir", str(trained)]
    with subprocess.Popen([*command, *where], stderr=subprocess.PIPE) as program:
        with pipe.open("rb") as reader:
            reader.read(1)
        assert program.stderr.read() == b""
    assert program.returncode == 0


def test_requests_are_answered_as_they_come(sampled, trained):
    """One line written to the pipe is answered before the next one is."""
    where = ["--data-dir", str(sampled), "--artifacts-dir", str(trained)]
    command = [*PROGRAM, "predict", "skip", "-", *where]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        for user in (101, 102, 103):
            program.stdin.write(b'{"user_id": %d, "track_id": "x"}\n' % user)
            program.stdin.flush()
            assert b'"user_id":%d' % user in program.stdout.readline()
        program.stdin.write(b"nonsense\n")
        program.stdin.close()
        assert b"-:4: " in program.stderr.read()
    assert program.returncode == 3


def test_a_refused_request_does_not_keep_the_others_from_their_answers(pozytywka, sampled, trained, monkeypatch):
    """An unknown artist in a stream: the others are forecast, a warning names it, and the exit code is 3."""
    where = ["--data-dir", sampled, "--artifacts-dir", trained]
    known = json.loads((sampled / "artists.jsonl").read_text(encoding="utf-8").splitlines()[0])["id"]
    lines = "".join(f'{{"artist_id": "{artist}"}}\n' for artist in (known, "nobody", known))
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": io.BytesIO(lines.encode())}))
    answer = pozytywka("predict", "weekly", "-", *where)
    assert answer.code == 3
    assert [json.loads(line)["artist_id"] for line in answer.out.splitlines()] == [known, known]
    assert "nobody" in answer.err


CONTROLS = "bell\x07 c1\x9b2J del\x7f over\u202eride iso\u2067late ok\u00e9"


def test_json_shows_no_character_that_a_terminal_obeys(capsys):
    """They are escaped, and the decoded values are the same; letters stay as they are."""
    tables.json_object("x", [{CONTROLS: CONTROLS}])
    printed = capsys.readouterr().out
    assert json.loads(printed)["rows"] == [{CONTROLS: CONTROLS}]
    assert not set("\x07\x9b\x7f\u202e\u2067") & set(printed)
    assert "é" in printed


def test_lines_of_json_show_no_character_that_a_terminal_obeys(pozytywka, sampled, trained, tmp_path):
    """Of answers on stdout, and of messages with --log-format json."""
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps({"user_id": 101, "track_id": CONTROLS}) + "\n", encoding="utf-8")
    where = ["--data-dir", sampled, "--artifacts-dir", trained]
    answer = pozytywka("predict", "skip", pairs, *where)
    assert json.loads(answer.out)["track_id"] == CONTROLS
    refused = pozytywka("--log-format", "json", "similar", CONTROLS, *where)
    assert CONTROLS in json.loads(refused.err)["message"]
    assert not set("\x9b\x7f\u202e\u2067") & set(answer.out + refused.err)


def test_a_name_of_any_length_takes_one_line_of_a_table(capsys):
    """Cut at the width of its column, so that all figures stay; other text is folded."""
    tables.table("", ("name", "mean", "note"), [(tables.Name("林檎 " * 30_000), 27_053, "text")])
    *_, line = capsys.readouterr().out.splitlines()
    assert line.startswith("林檎")
    assert "…" in line
    assert "27,053" in line


def test_a_full_disk_under_stdout_is_74():
    """The answer is lost."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*PROGRAM, "schema", "--json"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 74
    assert b"space" in done.stderr


@pytest.mark.parametrize("value", ["=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "-x", 'a "quote", and\nmore', "\t1"])
def test_a_csv_has_values_as_they_are(tmp_path, value):
    """Programs read back what was written; nothing is put before what a spreadsheet would take for a formula."""
    frame = pl.DataFrame({"name": [value, "plain"]})
    write_frame(frame, tmp_path / "names.csv")
    assert pl.read_csv(tmp_path / "names.csv").equals(frame)
