"""Every error a user can cause: one or two lines that say what, where and what next, and an exit code."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pozytywka_cli.artifacts import Store


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["similar"], 2, ["NAME", "pozytywka similar --help"]),
        (["foo"], 2, ["'foo'", "pozytywka --help"]),
        (["train", "foo"], 2, ["'foo'", "skip, weekly, similar"]),
        (["predict", "foo"], 2, ["'foo'", "skip, weekly, similar"]),
        (["models", "show", "foo"], 2, ["'foo'", "skip, weekly, similar"]),
        (["train", "weekly", "--variant", "x"], 2, ["weekly", "'x'", "lstm, mixture, mean, mean4"]),
        (["train", "skip", "--set", "similar.factors=3"], 2, ["similar.factors", "Name similar"]),
        (["train", "--set", "similar.factor=3"], 2, ["similar.factor", "similar.factors"]),
        (["train", "--set", "similar.factors=x"], 2, ["--set", "similar.factors", "'x'"]),
        (["train", "--set", "factors"], 2, ["--set", "'factors'", "similar.factors=64"]),
        (["predict", "--set", "weekly.epochs=3"], 2, ["weekly.epochs", "train weekly"]),
        (["train", "skip", "--horizon", "2"], 2, ["--horizon", "weekly"]),
        (["evaluate", "skip", "--measure", "mean"], 2, ["--measure", "weekly"]),
        (["predict", "skip", "--horizon", "2"], 2, ["--horizon", "weekly"]),
        (["predict", "weekly", "--explain"], 2, ["--explain", "skip"]),
        (["predict", "--artist", "x"], 2, ["--artist", "weekly"]),
        (["predict", "-o", "x.csv"], 2, ["-o", "one family"]),
        (["predict", "weekly", "-o", "x.xls"], 2, ["-o x.xls", ".parquet, .csv, .jsonl"]),
        (["predict", "weekly", "-o", "/dev/null/x.csv"], 74, ["/dev/null/x.csv"]),
        (["validate", "nowhere"], 74, ["nowhere", "--data-dir"]),
        (["models", "show", "skip"], 4, ["skip", "pozytywka train skip"]),
        (["similar", "Rosetta"], 4, ["similar", "pozytywka train similar"]),
        (["predict"], 4, ["artifacts", "pozytywka train"]),
        (["validate", "--max-bad", "x"], 2, ["--max-bad 'x'", "0.1%"]),
        (["validate", "--max-bad", "200%"], 2, ["--max-bad '200%'", "0.1%"]),
        (["validate", "--report", "pdf=x"], 2, ["--report 'pdf=x'", "html="]),
        (["train", "--until", "yesterday"], 2, ["--until 'yesterday'", "2024-11-26"]),
        (["--config", "nope.toml", "validate"], 2, ["nope.toml", "--config"]),
        (["evaluate", "similar", "--scrobbles", "a.csv"], 2, ["--scrobbles", "--artists"]),
        (["evaluate", "--scrobbles", "a.csv", "--artists", "b.csv"], 2, ["--scrobbles", "similar"]),
        (["sample", ".", "--users", "0"], 2, ["--users"]),
    ],
)
def test_a_mistake_is_explained(pozytywka, tmp_path, monkeypatch, arguments, code, words):
    """Usage, configuration, paths and missing artifacts: two lines that name the cause and the next step."""
    monkeypatch.chdir(tmp_path)
    answer = pozytywka(*arguments)
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.startswith("error: ")
    assert len(answer.err.splitlines()) == 2
    assert [word for word in words if word not in answer.err] == []


def test_an_error_suggests_the_same_command(pozytywka, tmp_path, monkeypatch):
    """The hint for `evaluate --scrobbles` is not to train."""
    monkeypatch.chdir(tmp_path)
    assert "train" not in pozytywka("evaluate", "--scrobbles", "a.csv", "--artists", "b.csv").err


@pytest.mark.parametrize("text", ["tool = 3\n", "[[tool]]\nx = 1\n", "x = " + "9" * 5000, "x = " + "[" * 3000])
@pytest.mark.parametrize("command", [["validate"], ["train", "--log-format", "json"]])
def test_a_broken_configuration_is_an_error_like_others(pozytywka, tmp_path, monkeypatch, text, command):
    """Exit 2 with the file's name: the format of messages is a setting too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(text)
    answer = pozytywka(*command)
    assert (answer.code, answer.out) == (2, "")
    assert "pyproject.toml" in answer.err


def test_an_unknown_key_in_the_configuration_is_refused(pozytywka, tmp_path):
    """The file and the key are named."""
    (tmp_path / "bad.toml").write_text("[skip]\nepoch = 3\n")
    answer = pozytywka("--config", tmp_path / "bad.toml", "validate")
    assert answer.code == 2
    assert "bad.toml:2" in answer.err
    assert "'skip.epoch'" in answer.err


def test_a_gpu_that_is_not_there_exits_5(pozytywka, sampled, tmp_path):
    """`--gpu` never falls back."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    answer = pozytywka("train", "weekly", "--gpu", "--data-dir", sampled, "--artifacts-dir", tmp_path)
    assert answer.code == 5
    assert "--gpu" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_is_told_to_wait(pozytywka, sampled, tmp_path):
    """Exit 75 while another run holds the lock."""
    with Store(tmp_path).lock():
        answer = pozytywka("transform", sampled, "--artifacts-dir", tmp_path)
    assert answer.code == 75
    assert str(tmp_path) in answer.err


def test_reading_needs_no_lock(pozytywka, sampled, trained, tmp_path):
    """Predictions are made from the plays that are there while another run writes."""
    folders = ("--data-dir", sampled, "--artifacts-dir", trained)
    with Store(trained).lock():
        answer = pozytywka("-q", "predict", "weekly", "-o", tmp_path / "weekly.csv", *folders)
    assert (answer.code, answer.err) == (0, "")
    assert (tmp_path / "weekly.csv").exists()


def test_a_log_without_plays_is_refused(pozytywka, sampled, tmp_path):
    """Exit 3, whether bad lines are dropped or not, and no file of plays."""
    event = '{"timestamp": "2025-03-31T15:23:34", "user_id": 101, "event_type": "LIKE", "session_id": 1}\n'
    (tmp_path / "tracks.jsonl").write_bytes((sampled / "tracks.jsonl").read_bytes())
    (tmp_path / "sessions.jsonl").write_text(event)
    for options in ((), ("--on-invalid", "quarantine")):
        answer = pozytywka("transform", tmp_path, "--artifacts-dir", tmp_path / "artifacts", *options)
        assert (answer.code, answer.out) == (3, "")
        assert [word for word in ("1 good event", "PLAY", "pozytywka validate") if word not in answer.err] == []
        assert not (tmp_path / "artifacts" / "plays.parquet").exists()


def test_a_full_disk_exits_74_and_leaves_nothing(pozytywka, sampled, tmp_path, monkeypatch):
    """The error of the operating system, with its file, and no half-written plays."""
    write = Path.write_bytes

    def full(self: Path, _: bytes) -> None:
        write(self, b"PAR1")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    answer = pozytywka("transform", sampled, "--artifacts-dir", tmp_path)
    assert answer.code == 74
    assert "No space left on device" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_an_internal_error_is_two_lines_and_exit_1(pozytywka, monkeypatch, sampled):
    """The traceback is shown with -v only."""
    monkeypatch.setattr("pozytywka_cli.dataset.checking.validate.check", lambda *_, **__: 1 / 0)
    answer = pozytywka("validate", sampled)
    assert answer.code == 1
    assert answer.err.startswith("error: internal error: ZeroDivisionError: division by zero\n")
    assert "Traceback" not in answer.err
    verbose = pozytywka("-v", "validate", sampled)
    assert verbose.code == 1
    assert "Traceback" in verbose.err


def test_an_interrupt_exits_130(pozytywka, monkeypatch, sampled):
    """As shells expect after Ctrl-C."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pozytywka_cli.dataset.checking.validate.check", interrupted)
    assert pozytywka("validate", sampled).code == 130


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminated_run_leaves_nothing_half_written(number, sampled, tmp_path):
    """Exit 143 or 129 in the middle of writing a version: no temporary folder, no version, nothing promoted."""
    done = interrupted_by(number, sampled, tmp_path)
    assert done.returncode == 128 + number
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "weekly" / "versions").iterdir()) == []
    assert not (tmp_path / "weekly" / "current").exists()


def test_nohup_stays_in_force(sampled, tmp_path):
    """A run that was started to ignore SIGHUP goes on after it."""
    assert interrupted_by(signal.SIGHUP, sampled, tmp_path, "nohup").returncode == 0
    assert (tmp_path / "weekly" / "current").exists()


def interrupted_by(number, data, artifacts, *before):
    """Train in a process that sends itself a signal while it writes the version."""
    script = (
        "import os, sys\n"
        "from pozytywka_cli.artifacts import saving\n"
        "real = saving.card\n"
        f"saving.card = lambda *draft: os.kill(os.getpid(), {int(number)}) or real(*draft)\n"
        "from pozytywka_cli.commands.boundary import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    command = [*before, sys.executable, "-c", script, "train", "weekly", "--variant", "mean"]
    folders = ["--data-dir", data, "--artifacts-dir", artifacts]
    return subprocess.run([*command, *folders], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "code"), [(["sample"], 0), (["sample", "--weeks", "0"], 2), (["models"], 2), ([], 2)]
)
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_full_stderr_changes_no_exit_code(arguments, code, log_format, tmp_path):
    """Work that is done is done, though nobody can be told; an error keeps its code."""
    where = [tmp_path / "data", "--users", "5", "--log-format", log_format] if "sample" in arguments else []
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "pozytywka_cli", *arguments, *where]
        assert subprocess.run(command, stderr=full, stdout=subprocess.DEVNULL, check=False).returncode == code
    assert (tmp_path / "data").exists() == (arguments == ["sample"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["validate", "DATA"], 74),
        (["transform", "DATA", "--json"], 74),
        (["sample", "new-\udcff"], 74),
        (["validate", "--data-dir", "DATA"], 2),
        (["settings", "--json", "--data-dir", "DATA"], 2),
        (["models", "list", "--artifacts-dir", "a\udcff"], 2),
        (["--config", "c\udcff", "settings"], 2),
        (["transform", "-o", "p\udcff.parquet"], 74),
        (["validate", "--report", "html=r\udcff.html"], 74),
        (["validate", "--quarantine", "q\udcff"], 74),
        (["predict", "weekly", "-o", "o\udcff.csv"], 74),
        (["evaluate", "weekly", "-o", "o\udcff.csv"], 74),
        (["evaluate", "weekly", "--plot", "o\udcff.svg"], 74),
        (["train", "--set", "skip.epochs=\udcff"], 2),
        (["train", "\udcff"], 2),
        (["models", "show", "weekly", "\udcff"], 4),
    ],
)
def test_arguments_that_are_not_utf8_are_refused(pozytywka, sampled, trained, tmp_path, monkeypatch, arguments, code):
    """Two lines that name the argument, its bytes escaped; the frame library cannot open such a path."""
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data-\udcff"
    shutil.copytree(sampled, data)
    monkeypatch.setenv("POZYTYWKA_DATA_DIR", str(sampled))
    monkeypatch.setenv("POZYTYWKA_ARTIFACTS_DIR", str(trained))
    answer = pozytywka(*(data if argument == "DATA" else argument for argument in arguments))
    assert (answer.code, answer.out) == (code, "")
    assert "udcff" in answer.err
    answer.err.encode()


def test_a_reader_that_has_enough_is_no_error():
    """`pozytywka schema --json | head -c 1`."""
    line = f"{sys.executable} -m pozytywka_cli schema --json | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{", "")


def test_messages_can_be_json(pozytywka, tmp_path):
    """`--log-format json` before or after the command: one object a line on stderr."""
    import json

    answer = pozytywka("validate", tmp_path / "nowhere", "--log-format", "json")
    record = json.loads(answer.err)
    assert (record["level"], record["exit_code"]) == ("error", 74)
    assert record["message"] == f"there is no folder {tmp_path / 'nowhere'}"


def test_a_library_that_is_missing_is_named(pozytywka, trained, monkeypatch: pytest.MonkeyPatch):
    """As in an image that holds only what the service needs; it is no internal error."""
    monkeypatch.setitem(sys.modules, "rapidfuzz", None)
    answer = pozytywka("similar", "Rosettta", "--artifacts-dir", trained)
    assert answer.code == 5
    assert "rapidfuzz" in answer.err
