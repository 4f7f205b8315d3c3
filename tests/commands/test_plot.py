"""`evaluate --plot`: what is refused before any work, what is written, and what the help does not import."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import Evaluated
from pozytywka_cli.records import Panel, Row

ROWS = [Row("skip", "advanced", "time split", "roc_auc", 0.75)]
PANEL = Panel("A panel", "bar", pl.DataFrame({"nats": [1.0], "name": ["[/b]"]}), "nats", "name")


@pytest.fixture
def evaluated(monkeypatch) -> list[str]:
    """Replace the evaluations of skip, which draws one panel, and weekly, which draws none; record when it is drawn."""
    asked: list[str] = []

    def panels() -> list[Panel]:
        asked.append("skip")
        return [PANEL]

    for name, result in {"skip": Evaluated(ROWS, panels, ["A note."]), "weekly": Evaluated(ROWS)}.items():
        monkeypatch.setattr(registry.get(name), "evaluate", lambda *_, result=result: result, raising=False)
    return asked


@pytest.fixture
def evaluate(pozytywka, sampled, tmp_path, monkeypatch):
    """Evaluate the sample in an empty folder, with these arguments more."""
    monkeypatch.chdir(tmp_path)
    return lambda *more: pozytywka("evaluate", *more, "--data-dir", sampled)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["skip", "--plot", "a.gif"], ["--plot a.gif", ".png, .svg, .pdf, .html"]),
        (["skip", "--curve", "--plot", "a.png"], ["--curve", "skip"]),
        (["skip", "--planted", "--plot", "a.png"], ["--planted", "--plot"]),
        (["similar", "--curve", "--set", "similar.factors=3"], ["--curve", "similar.factors"]),
        (["skip", "-o", "a.jsonl"], ["-o a.jsonl", ".parquet, .csv"]),
        (["skip", "-o", "/dev/null/a.csv"], ["/dev/null/a.csv"]),
    ],
)
def test_impossible_requests_are_refused_before_any_work(pozytywka, tmp_path, monkeypatch, arguments, words):
    """Before the data are read, which are missing here."""
    monkeypatch.chdir(tmp_path)
    answer = pozytywka("evaluate", *arguments)
    assert (answer.code in (2, 74), answer.out) == (True, "")
    assert [word for word in words if word not in answer.err] == []
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_only_pictures_are_missing(pozytywka, evaluate, evaluated, monkeypatch):
    """Exit 5 before any work with --plot; without it nothing needs Altair."""
    monkeypatch.setitem(sys.modules, "altair", None)
    answer = pozytywka("evaluate", "skip", "--plot", "a.png")
    assert answer.code == 5
    assert "--plot" in answer.err
    assert "pip install 'pozytywka[plot]'" in answer.err
    assert evaluate("skip").code == 0
    assert evaluated == []


def test_a_picture_is_written(evaluate, evaluated):
    """Of the families that have panels; rows and notes are the same with and without it."""
    answer = evaluate("skip", "weekly", "--plot", "new/a.svg", "--json")
    assert answer.code == 0
    assert answer.out == evaluate("skip", "weekly", "--json").out
    assert answer.err.splitlines()[-2:] == ["A note.", "Wrote new/a.svg."]
    found = {element.text for element in ElementTree.parse("new/a.svg").iter()}
    assert {"pozytywka evaluate skip weekly", "A panel", "[/b]"} <= found
    assert evaluated == ["skip"]


def test_a_family_that_is_refused_is_not_drawn(evaluate, evaluated, monkeypatch):
    """Its reason is given, the others' figures are printed, and there is no picture."""

    def refuse(*_: object, **__: object) -> Evaluated:
        raise RefusedError("too few plays", "Give more.")

    monkeypatch.setattr(registry.get("skip"), "evaluate", refuse, raising=False)
    answer = evaluate("skip", "weekly", "--plot", "a.svg")
    assert answer.code == 3
    assert "skip: too few plays" in answer.err
    assert "Wrote" not in answer.err
    assert not Path("a.svg").exists()


def test_skip_is_drawn(pozytywka, tmp_path, quick):
    """From the data of four users, too few for the protocol by user, to one picture with its four panels."""
    assert pozytywka("-q", "sample", tmp_path / "data", "--users", "4", "--weeks", "8").code == 0
    path = tmp_path / "skip.svg"
    folders = ["--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "artifacts"]
    answer = pozytywka("evaluate", "skip", "--plot", path, *folders)
    assert answer.code == 0
    assert f"Wrote {path}." in answer.err
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
