"""Artifacts written by earlier versions of pozytywka are still read."""

import math
import shutil
from pathlib import Path

import polars as pl
import pytest

from pozytywka_cli.artifacts import Manifest, Store
from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.families import registry
from pozytywka_cli.records import Gate, Row

HERE = Path(__file__).parent
DEMO = HERE.parent / "data" / "format-1"
# one version of each family for each format, made of a sample of 20 users and 24 weeks
STORES = {1: Store(HERE / "format-1"), 2: Store(HERE / "format-2")}
METRICS = {
    "skip": {
        "log_loss",
        "roc_auc",
        "accuracy",
        "balanced_accuracy",
        "brier_score",
        "expected_calibration_error",
    },
    "weekly": {"rmse", "mae", "mase", "rmsse", "wape", "pinball_loss", "coverage"},
    "similar": {"sampled_hit_rate@10", "recall@10", "ndcg@10", "user_recall@20", "user_ndcg@20"},
}


@pytest.mark.parametrize("format_", STORES)
@pytest.mark.parametrize("family", METRICS)
def test_versions_are_loaded(family: str, format_: int) -> None:
    """All hashes match, and metrics and gate have their present names, the headline metric among them."""
    manifest = STORES[format_].load(family).manifest
    assert (manifest.format, manifest.family) == (format_, family)
    assert (manifest.digest == "") == (format_ == 1)
    assert {row.metric for row in manifest.metrics} == METRICS[family]
    assert len({row.protocol for row in manifest.metrics} & {"time split", "rolling 8 weeks", "split 0"}) == 1
    assert manifest.gate is not None
    assert manifest.gate.metric in METRICS[family]
    assert (manifest.fallback_for, manifest.chosen_over) == (None, None)
    assert STORES[format_].verified(family) == [(manifest.version, None)]


def test_other_fields_of_format_1_are_read_as_they_are() -> None:
    """Names that have not changed, values, gate and notes."""
    version = Store(DEMO).load("demo")
    assert (version.manifest.variant, version.manifest.seed, version.manifest.notes) == ("net", 0, ["A note."])
    assert (version.folder / "weights.bin").read_bytes() == b"weights"
    assert version.manifest.metrics == [
        Row("demo", "net", "time split", "log_loss", 0.5, 0.4, 0.6),
        Row("demo", "mean", "time split", "log_loss", 0.7),
    ]
    assert version.manifest.gate == Gate("log_loss", 0.5, 0.7, "mean", -0.2, -0.3, -0.1, 0.001)


def changed(folder: Path, old: str, new: str) -> Manifest:
    """The manifest of a copy of the demo version in which a text is replaced."""
    shutil.copytree(DEMO / "demo", folder / "demo", symlinks=True)
    path = folder / "demo" / "current" / "manifest.json"
    path.write_text(path.read_text().replace(old, new))
    return Store(folder).load("demo").manifest


@pytest.mark.parametrize(
    ("note", "variant"),
    [
        ("the mean of all history, for there are only 12 full weeks of plays; the LSTM needs at least 20", "lstm"),
        ("the mean of all history, for there are only 60 full weeks of plays; seasonal needs at least 104", "seasonal"),
    ],
)
def test_a_note_about_a_fallback_becomes_a_field(note: str, variant: str, tmp_path: Path) -> None:
    """With the variant that the note names."""
    assert changed(tmp_path, "A note.", f"fallback: {note}").fallback_for == variant


@pytest.mark.parametrize("old", ['"value": 0.7', '"baseline": 0.7'])
def test_null_is_nan_in_format_1_too(old: str, tmp_path: Path) -> None:
    """Such versions counted as damaged before."""
    manifest = changed(tmp_path, old, f"{old.partition(':')[0]}: null")
    assert manifest.gate is not None
    assert [math.isnan(number) for number in (manifest.metrics[1].value, manifest.gate.baseline)].count(True) == 1


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The sample that the versions were trained on."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder / "data", users=20, weeks=24, seed=0)
    return load(folder / "data", folder / "plays.parquet", lambda _: None)


@pytest.mark.parametrize("format_", STORES)
@pytest.mark.parametrize("family", ["skip", "weekly"])
def test_predictors_answer_their_default_requests(family: str, format_: int, dataset: Dataset) -> None:
    """Every answer is a finite number."""
    predictor = registry.get(family).open(STORES[format_].load(family), dataset)
    requests = predictor.default_requests()
    answers = predictor.predict(requests)
    assert len(answers) >= len(requests) > 0
    assert answers.select(pl.col(pl.Float64, pl.Float32).is_finite().all()).row(0)


@pytest.mark.parametrize(("format_", "names"), [(1, ("Łona", "Dona", "Rosetta")), (2, ("Rosetta",))])
def test_artists_are_found_by_name(format_: int, names: tuple[str, ...]) -> None:
    """Also those with a letter that does not decompose, and a name that differs from another by that letter alone."""
    predictor = registry.get("similar").open(STORES[format_].load("similar"), None)
    for name in names:
        answers = predictor.predict(pl.DataFrame({"artist": [name]}))
        assert len(answers) > 0
        assert set(answers["matched"]) == {name}
