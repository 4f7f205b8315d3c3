"""A family that is one module and one line in the registry has every command, with no change in the package."""

import io
import json
import sys
from pathlib import Path

import polars as pl
import pytest

from pozytywka_cli.commands.boundary import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small sample in `data`."""
    folder = tmp_path_factory.mktemp("toy")
    assert run(["-q", "sample", str(folder / "data"), "--users", "20", "--weeks", "8"]) == 0
    return folder


@pytest.fixture(scope="module")
def artifacts(folder: Path) -> Path:
    """Artifacts with a promoted version of the toy family."""
    target = folder / "artifacts"
    assert run(["-q", "train", "toy", "--data-dir", str(folder / "data"), "--artifacts-dir", str(target)]) == 0
    return target


@pytest.fixture
def toy(pozytywka, folder, artifacts):
    """Run a command on the sample and the artifacts."""
    return lambda *words: pozytywka(*words, "--data-dir", folder / "data", "--artifacts-dir", artifacts)


def rows(answer) -> list[dict]:
    """The rows of a JSON answer."""
    assert answer.code == 0, answer.err
    return json.loads(answer.out)["rows"]


def test_train_shows_one_row_and_models_list_has_the_version(toy):
    """With the headline metric beside the baseline's, and whether it is promoted."""
    answer = toy("train", "toy", "--seed", "3")
    assert answer.code == 0
    [line] = [line for line in answer.out.splitlines() if line.startswith("toy ")]
    assert {"rate", "squared", "error", "overall", "promoted"} <= set(line.split())
    listed = rows(toy("models", "list", "toy", "--json"))
    assert {(row["family"], row["variant"]) for row in listed} == {("toy", "rate")}
    assert toy("models", "verify", "toy").code == 0


def test_evaluate_compares_the_variants(toy):
    """The default first, differences with p-values, what is best, and what is promoted; and the same as rows."""
    answer = toy("evaluate", "toy")
    assert answer.code == 0
    assert answer.out.index("\nrate ") < answer.out.index("\noverall ")
    assert "Best by squared error: rate" in answer.out
    assert "Promoted: rate " in answer.out
    [difference] = [
        row
        for row in rows(toy("evaluate", "toy", "--json"))
        if (row["protocol"], row["metric"]) == ("second half", "squared_error_difference")
    ]
    assert difference["variant"] == "overall"
    assert 0 < difference["p_value"] <= 1


def test_predict_answers_its_usual_requests_and_those_of_a_file(toy, artifacts, tmp_path):
    """Into a file, to stdout, and of every promoted family."""
    assert toy("predict").code == 0
    usual = pl.read_parquet(artifacts / "predictions" / "toy.parquet")
    assert usual.columns == ["user_id", "rate"]
    user, rate = usual.row(0)
    path = tmp_path / "requests.csv"
    path.write_text(f"user_id,weight\n{user},2\n99,\n")
    first, second = map(json.loads, toy("predict", "toy", path).out.splitlines())
    assert first == {"user_id": user, "rate": 2 * rate}
    assert second["user_id"] == 99


def test_predict_reads_standard_input(toy, monkeypatch):
    """A bad line is a warning with its number, and the others are answered."""

    class Stdin:
        buffer = io.BytesIO(b'{"user_id": 1}\n{"user_id": "x"}\n{"user_id": 2}\n')

    monkeypatch.setattr(sys, "stdin", Stdin)
    answer = toy("predict", "toy", "-")
    assert answer.code == 3
    assert [json.loads(line)["user_id"] for line in answer.out.splitlines()] == [1, 2]
    assert "warning: -:2: user_id " in answer.err


def test_tune_searches_its_space(toy):
    """The trials are reported, and the version has the best settings."""
    [row] = rows(toy("train", "toy", "--tune", "3", "--force", "--json"))
    assert row["tuned"]["metric"] == "squared_error"
    [manifest] = rows(toy("models", "show", "toy", row["version"], "--json"))
    assert manifest["settings"] == row["tuned"]["settings"]


def test_settings_come_from_every_source(toy, folder, monkeypatch):
    """Flag, environment variable, line of a file and default; each is named."""

    def prior(*words: object) -> tuple[float, str, str]:
        [row] = [row for row in rows(toy("settings", "--json", *words)) if row["key"] == "toy.prior"]
        return row["value"], row["source"], row["description"]

    config = folder / "toy.toml"
    config.write_text("\n[toy]\nprior = 5\n")
    value, source, description = prior()
    assert (value, source) == (4.0, "default")
    assert "overall rate" in description
    assert prior("--config", config)[:2] == (5.0, f"{config}:3")
    monkeypatch.setenv("POZYTYWKA_TOY_PRIOR", "6")
    value, source, _ = prior("--config", config)
    assert value == 6.0
    assert "POZYTYWKA_TOY_PRIOR" in source
    [row] = rows(toy("train", "toy", "--set", "toy.prior=7", "--force", "--json"))
    [manifest] = rows(toy("models", "show", "toy", row["version"], "--json"))
    assert manifest["settings"] == {"prior": 7.0}


@pytest.mark.parametrize(
    "words", [["train", "skip"], ["evaluate", "weekly"], ["predict", "skip"], ["plan", "rates", "--budget", "1"]]
)
def test_a_setting_of_another_family_is_refused(toy, words):
    """Exit 2, and the setting is named."""
    answer = toy(*words, "--set", "toy.prior=3")
    assert answer.code == 2
    assert "toy" in answer.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [("pozytywka train to", "toy"), ("pozytywka train toy --variant ra", "rate"), ("pozytywka models show toy ", "-")],
)
def test_completion_knows_the_family_its_variants_and_versions(toy, monkeypatch, artifacts, words, expected):
    """As bash asks for it."""
    monkeypatch.setenv("POZYTYWKA_ARTIFACTS_DIR", str(artifacts))
    monkeypatch.setenv("_POZYTYWKA_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    assert expected in toy().out
