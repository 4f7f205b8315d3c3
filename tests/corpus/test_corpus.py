"""Every delivery of data that was ever misread, made from the sample, with the right answer."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pozytywka_cli.commands.boundary import run

from . import deliveries, logs, values
from .case import Case, Data
from .deliveries import copied
from .logs import clock_of_a_stranger, tracks_without_artist
from .scrobbles import COUNTS, DELIVERIES, Delivery

CASES = [*deliveries.CASES, *values.CASES, *logs.CASES]
MODELS = [  # lost: how many artists have no plays any more
    Case("the log copied", copied),
    Case("a device with a clock of 2010", clock_of_a_stranger),
    Case("tracks without an artist", tracks_without_artist, lost=1),
]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample of 12 users and 12 weeks, and its plays beside it."""
    root = tmp_path_factory.mktemp("corpus")
    assert run(["-q", "sample", str(root / "data"), "--users", "12", "--weeks", "12"]) == 0
    assert run(["-q", "--data-dir", str(root / "data"), "transform", "-o", str(root / "plays.parquet")]) == 0
    shutil.rmtree(root / "data" / "truth")
    return root


def given(case: Case, sample: Path, folder: Path) -> list[str]:
    """Write the case's data and configuration; return the options that name them."""
    data = Data(folder / "data")
    shutil.copytree(sample / "data", data.folder)
    case.change(data)
    config = folder / "pozytywka.toml"
    config.write_text(case.config)
    return ["--config", str(config), "--data-dir", str(data.folder), "--artifacts-dir", str(folder / "artifacts")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_delivery_is_read_or_refused_as_it_should_be(
    case: Case, sample: Path, tmp_path: Path, pozytywka: Callable[..., Any]
) -> None:
    """Rules are broken as often as expected, the plays are the expected ones, and exit codes and reasons are true."""
    options = given(case, sample, tmp_path)
    checked = pozytywka(*options, "validate", "--json")
    assert checked.code == case.code, checked.err
    violations = json.loads(checked.out)["rows"] if checked.out else []
    broken = Counter({row["rule"]: 0 for row in violations})
    for row in violations:
        broken[row["rule"]] += row["count"]
    assert broken == case.rules

    made = pozytywka(*options, "transform", *(["--on-invalid", "quarantine"] if case.quarantine else []))
    assert made.code == case.transform_code, made.err
    plays = tmp_path / "artifacts" / "plays.parquet"
    assert plays.exists() == (made.code == 0)
    if made.code == 0:
        old, new = pl.read_parquet(sample / "plays.parquet"), pl.read_parquet(plays)
        assert len(new) == len(old) - case.lost
        assert new.equals(old) == (case.same and not case.lost)
    told = " ".join([checked.out, checked.err, made.err])
    assert [part for part in case.says if part not in told] == []


def forecasts(pozytywka: Callable[..., Any], options: list[str]) -> pl.DataFrame:
    """Train every family quickly, and return the weekly forecasts, with the artist's id as `artist_id`."""
    quick = [f"--set={key}" for key in ("skip.epochs=1", "similar.iterations=2")]
    trained = pozytywka(*options, "train", *quick)
    assert trained.code == 0, trained.err
    assert pozytywka(*options, "predict", "skip", "--json").code == 0
    predicted = pozytywka(*options, "predict", "weekly", "--json")
    assert predicted.code == 0, predicted.err
    return pl.DataFrame(json.loads(predicted.out)["rows"], infer_schema_length=None)


@pytest.mark.parametrize("case", MODELS, ids=str)
def test_models_are_those_of_the_clean_log(
    case: Case, sample: Path, tmp_path: Path, pozytywka: Callable[..., Any]
) -> None:
    """All families train and predict, and every artist's forecast is within 2 % of what the clean log gives."""
    ours, clean = (
        forecasts(pozytywka, given(one, sample, tmp_path / one.name)).select("artist_id", "mean")
        for one in (case, Case("clean", lambda data: None))
    )
    both = clean.join(ours, on="artist_id", how="left")
    assert both["mean_right"].null_count() <= case.lost
    assert both.filter((pl.col("mean_right") / pl.col("mean") - 1).abs() > 0.02).is_empty()


def test_session_ids_of_text_keep_sessions_apart(sample: Path, tmp_path: Path, pozytywka: Callable[..., Any]) -> None:
    """Only the ids of sessions change: each text is one session of its user."""
    case = Case("session ids of text", values.session_ids_of_text)
    assert pozytywka(*given(case, sample, tmp_path), "transform").code == 0
    old, new = pl.read_parquet(sample / "plays.parquet"), pl.read_parquet(tmp_path / "artifacts" / "plays.parquet")
    by = ["user_id", "started_at", "track_id"]
    assert new.drop("session_id").sort(by).equals(old.drop("session_id").sort(by))
    pairs = old.sort(by).select("user_id", old="session_id").with_columns(new=new.sort(by)["session_id"])
    assert len(pairs.unique()) == pairs.n_unique(["user_id", "old"]) == pairs.n_unique(["user_id", "new"])


@pytest.mark.parametrize("delivery", DELIVERIES, ids=str)
def test_scrobbles_are_read_as_the_world_writes_them(
    delivery: Delivery, tmp_path: Path, pozytywka: Callable[..., Any]
) -> None:
    """The model is trained on as many pairs as the files hold, or the reason names the file, line and value."""
    scrobbles, artists, artifacts = tmp_path / "s.csv", tmp_path / "a.csv", tmp_path / "artifacts"
    delivery.write(scrobbles, artists)
    files = ["--scrobbles", scrobbles, "--artists", artists, "--artifacts-dir", artifacts]
    few = ["--set", "similar.factors=4", "--set", "similar.iterations=2"]
    trained = pozytywka("train", "similar", *files, *few)
    assert trained.code == delivery.code, trained.err
    assert [part for part in delivery.says if part not in trained.err] == []
    if trained.code == 0:
        manifest = json.loads(next(artifacts.glob("similar/current/manifest.json")).read_text())
        assert [one["rows"] for one in manifest["inputs"]] == [len(COUNTS), 30]
        assert pozytywka("similar", "Band 7", "--artifacts-dir", artifacts).code == 0
