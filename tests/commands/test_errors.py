"""Every error a user can cause: one or two lines that say what, where and what next, and an exit code."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pozytywka_cli.artifacts import Store


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["similar"], 2, "error: Missing argument 'NAME'.\nSee `pozytywka similar --help`.\n"),
        (["foo"], 2, "error: No such command 'foo'.\nSee `pozytywka --help`.\n"),
        (["train", "foo"], 2, "error: 'foo' is no model family\nChoose from skip, weekly, similar.\n"),
        (["models", "show", "foo"], 2, "error: 'foo' is no model family\nChoose from skip, weekly, similar.\n"),
        (
            ["train", "weekly", "--variant", "x"],
            2,
            "error: weekly has no variant 'x'\n"
            "Choose from lstm, mean, mean4, last, linear, linear-all, legacy-lstm, seasonal, AutoETS, SES.\n",
        ),
        (
            ["validate", "nowhere"],
            74,
            "error: there is no folder nowhere\nName the data with --data-dir, or make some: `pozytywka sample`.\n",
        ),
        (["models", "show", "skip"], 4, "error: no skip model in artifacts\nMake one with `pozytywka train skip`.\n"),
        (["similar", "Rosetta"], 4, "error: no similar model in artifacts\nMake one with `pozytywka train similar`.\n"),
        (["predict"], 4, "error: neither skip nor weekly serves in artifacts\nTrain them: `pozytywka train`.\n"),
        (["validate", "--max-bad", "x"], 2, "error: --max-bad 'x' is no number of lines\nWrite it as 10 or 0.1%.\n"),
        (
            ["validate", "--max-bad", "200%"],
            2,
            "error: --max-bad '200%' is no number of lines\nWrite it as 10 or 0.1%.\n",
        ),
        (
            ["validate", "--report", "pdf=x"],
            2,
            "error: --report 'pdf=x' is no report\nWrite it as html=report.html or junit=report.xml.\n",
        ),
        (
            ["train", "--until", "yesterday"],
            2,
            "error: --until 'yesterday' is no date\nWrite it as 2024-11-26 or 2024-11-26T12:00:00.\n",
        ),
        (
            ["--config", "nope.toml", "validate"],
            2,
            "error: cannot read the configuration nope.toml: No such file or directory\nCheck --config.\n",
        ),
        (
            ["evaluate", "similar", "--scrobbles", "a.csv"],
            2,
            "error: --scrobbles and --artists go together\nGive both files, or neither.\n",
        ),
        (
            ["predict", "weekly", "-o", "x.xls"],
            2,
            "error: -o x.xls: the suffix names no format\nEnd it with .parquet, .csv, .jsonl.\n",
        ),
        (
            ["predict", "weekly", "pairs.jsonl"],
            2,
            "error: only skip reads pairs\nWrite `pozytywka predict skip INPUT`.\n",
        ),
        (
            ["sample", ".", "--users", "0"],
            2,
            "error: --users is 0\nAsk for at least one user.\n",
        ),
    ],
)
def test_a_mistake_is_explained(pozytywka, tmp_path, monkeypatch, arguments, code, message):
    """Usage, configuration, paths and missing artifacts: the exact words and the exit code, nothing on stdout."""
    monkeypatch.chdir(tmp_path)
    answer = pozytywka(*arguments)
    assert (answer.code, answer.out, answer.err) == (code, "", message)


def test_an_unknown_key_in_the_configuration_is_refused(pozytywka, tmp_path):
    """The file and the key are named."""
    (tmp_path / "bad.toml").write_text("[skip]\nepoch = 3\n")
    answer = pozytywka("--config", tmp_path / "bad.toml", "validate")
    assert answer.code == 2
    assert "bad.toml: Object contains unknown field `epoch` - at `$.skip`" in answer.err


def test_a_gpu_that_is_not_there_exits_5(pozytywka, sampled, tmp_path):
    """`--gpu` never falls back."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    answer = pozytywka("train", "weekly", "--gpu", "--data-dir", sampled, "--artifacts-dir", tmp_path)
    assert answer.code == 5
    assert answer.err.startswith("error: --gpu was asked for, but ")
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_is_told_to_wait(pozytywka, sampled, tmp_path):
    """Exit 75 while another run holds the lock."""
    with Store(tmp_path).lock():
        answer = pozytywka("transform", sampled, "--artifacts-dir", tmp_path)
    assert answer.code == 75
    assert answer.err == f"error: another run is writing to {tmp_path}\nTry again when it has ended.\n"


def test_a_full_disk_exits_74_and_leaves_nothing(pozytywka, sampled, tmp_path, monkeypatch):
    """The error of the operating system, with its file, and no half-written plays."""
    import polars as pl

    def full(self: pl.DataFrame, file: Path, **_: object) -> None:
        Path(file).write_bytes(b"PAR1")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    answer = pozytywka("transform", sampled, "--artifacts-dir", tmp_path)
    assert answer.code == 74
    assert "No space left on device" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_fault_in_the_program_is_one_line_and_exit_1(pozytywka, monkeypatch, sampled):
    """No traceback reaches a user who did not ask for one."""
    monkeypatch.setattr("pozytywka_cli.dataset.validate.check", lambda *_, **__: 1 / 0)
    answer = pozytywka("validate", sampled)
    assert answer.code == 1
    assert answer.err.startswith("error: a fault in pozytywka: ZeroDivisionError: division by zero\n")
    assert "Traceback" not in answer.err
    with pytest.raises(ZeroDivisionError):
        pozytywka("-v", "validate", sampled)


def test_an_interrupt_exits_130(pozytywka, monkeypatch, sampled):
    """As shells expect after Ctrl-C."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pozytywka_cli.dataset.validate.check", interrupted)
    assert pozytywka("validate", sampled).code == 130


def test_a_terminated_run_exits_143_and_leaves_nothing_half_written(sampled, tmp_path):
    """SIGTERM in the middle of writing a version: no temporary folder, no version, nothing serving."""
    script = (
        "import os, signal, sys\n"
        "from pozytywka_cli.artifacts import store\n"
        "store.card = lambda *_: os.kill(os.getpid(), signal.SIGTERM)\n"
        "from pozytywka_cli.commands.boundary import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", script, "train", "weekly", "--variant", "mean"]
    done = subprocess.run(
        [*command, "--data-dir", sampled, "--artifacts-dir", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "weekly" / "versions").iterdir()) == []
    assert not (tmp_path / "weekly" / "current").exists()


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
