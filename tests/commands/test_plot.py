"""`evaluate --plot`: what is refused before any work, what is written, and what the help does not import."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.records import Evaluated, Panel, Row

ROWS = [Row("skip", "advanced", "time", "AUC", 0.75)]
PANEL = Panel("A panel", "bar", pl.DataFrame({"nats": [1.0], "name": ["[/b]"]}), "nats", "name")


@pytest.fixture
def evaluated(monkeypatch) -> list[str]:
    """Skip and weekly are measured at once, and give a panel that says when it was asked for, and none."""
    asked: list[str] = []

    def panels() -> list[Panel]:
        asked.append("skip")
        return [PANEL]

    monkeypatch.setattr(
        "pozytywka_cli.families.skip.evaluate.evaluate", lambda *_, **__: Evaluated(ROWS, panels, ["A note."])
    )
    monkeypatch.setattr("pozytywka_cli.families.weekly.evaluate.evaluate", lambda *_, **__: Evaluated(ROWS))
    return asked


@pytest.fixture
def evaluate(pozytywka, sampled, tmp_path, monkeypatch):
    """Evaluate the sample in an empty folder, with these arguments more."""
    monkeypatch.chdir(tmp_path)
    return lambda *more: pozytywka("evaluate", *more, "--data-dir", sampled)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["skip", "--plot", "a.gif"],
            2,
            "error: --plot a.gif: the suffix names no format\nEnd it with .png, .svg, .pdf, .html.\n",
        ),
        (
            ["skip", "--curve", "--plot", "a.png"],
            2,
            "error: --curve is for similar alone\nWrite `pozytywka evaluate similar --curve`.\n",
        ),
        (
            ["skip", "--planted", "--plot", "a.png"],
            2,
            "error: --planted makes its own data\nLeave out --until, --scrobbles, --artists, --curve and --plot.\n",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_any_work(pozytywka, tmp_path, monkeypatch, arguments, code, message):
    """The data, which are not there, are not even looked for."""
    monkeypatch.chdir(tmp_path)
    answer = pozytywka("evaluate", *arguments)
    assert (answer.code, answer.out, answer.err) == (code, "", message)
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_only_pictures_are_missing(pozytywka, evaluate, evaluated, monkeypatch):
    """Exit 5 before any work with --plot; without it nothing needs Altair."""
    monkeypatch.setitem(sys.modules, "altair", None)
    answer = pozytywka("evaluate", "skip", "--plot", "a.png")
    assert answer.code == 5
    assert answer.err.startswith("error: --plot was asked for, ")
    assert answer.err.endswith("Install it: `pip install 'pozytywka[plot]'`.\n")
    assert evaluate("skip").code == 0
    assert evaluated == []


def test_a_picture_is_written_and_said(evaluate, evaluated):
    """Of the families that have panels; the figures are printed as ever, and a family's note is passed on."""
    answer = evaluate("skip", "weekly", "--plot", "new/a.svg", "--json")
    assert answer.code == 0
    assert answer.out == evaluate("skip", "weekly", "--json").out
    assert answer.err.endswith("A note.\nWrote new/a.svg.\n")
    found = {element.text for element in ElementTree.parse("new/a.svg").iter()}
    assert {"pozytywka evaluate skip weekly", "A panel", "[/b]"} <= found
    assert evaluated == ["skip"]


def test_a_family_that_is_refused_is_not_drawn(evaluate, evaluated, monkeypatch):
    """Its reason is given, the others' figures are printed, and there is no picture."""

    def refuse(*_: object, **__: object) -> Evaluated:
        raise RefusedError("too few plays", "Give more.")

    monkeypatch.setattr("pozytywka_cli.families.skip.evaluate.evaluate", refuse)
    answer = evaluate("skip", "weekly", "--plot", "a.svg")
    assert answer.code == 3
    assert answer.err.endswith("error: skip: too few plays\nGive more.\n")
    assert "Wrote" not in answer.err
    assert not Path("a.svg").exists()


def test_skip_is_drawn(pozytywka, tmp_path, quick):
    """From the data of four users, too few for the protocol by user, to one picture with its four panels."""
    assert pozytywka("-q", "sample", tmp_path / "data", "--users", "4", "--weeks", "8").code == 0
    path = tmp_path / "skip.svg"
    folders = ["--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "artifacts"]
    answer = pozytywka("evaluate", "skip", "--plot", path, *folders)
    assert answer.code == 0
    assert answer.err.endswith(f"the protocol by user needs at least 12\nWrote {path}.\n")
    found = [element.text or "" for element in ElementTree.parse(path).iter()]
    for title in (
        "Calibration curve, ",
        "ROC curve, ",
        "When tracks are skipped, ",
        "Permutation importance, advanced",
    ):
        assert any(text.startswith(title) for text in found), title


def test_the_help_draws_nothing():
    """Neither Altair nor polars is imported for it."""
    look = (
        "import sys; from pozytywka_cli.commands.boundary import run; run(['evaluate', '--help']); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert "--plot PATH" in done.stdout
    assert not {"altair", "vl_convert", "polars"} & set(done.stdout.splitlines()[-1].split())
