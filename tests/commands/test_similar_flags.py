"""Settings and flags of similar on `train` and `evaluate`."""

import json

import pytest

SETTINGS = {"weighting": "bm25", "factors": 3, "regularization": 0.5, "alpha": 2.0, "iterations": 4, "min_listeners": 2}


def assigned(settings: dict[str, object]) -> list[str]:
    """Settings as arguments."""
    return [argument for name, value in settings.items() for argument in ("--set", f"similar.{name}={value}")]


def test_settings_reach_the_manifest(pozytywka, sampled, tmp_path):
    """All of similar's."""
    folders = ["--data-dir", sampled, "--artifacts-dir", tmp_path / "artifacts"]
    assert pozytywka("-q", "train", "similar", *assigned(SETTINGS), *folders).code == 0
    shown = json.loads(pozytywka("models", "show", "similar", "--json", *folders).out)["rows"][0]
    assert shown["settings"] == SETTINGS


@pytest.mark.parametrize(
    ("name", "value"), [("weighting", "tfidf"), ("alpha", "0"), ("alpha", "inf"), ("regularization", "2e9")]
)
def test_an_unusable_value_is_refused(pozytywka, tmp_path, name, value):
    """Exit 2 before any work, and the setting and its value are named."""
    answer = pozytywka("train", "similar", *assigned({name: value}), "--data-dir", tmp_path)
    assert answer.code == 2
    assert f"similar.{name}" in answer.err
    assert value in answer.err


def test_the_tradeoff_is_a_table(pozytywka, sampled, tmp_path, monkeypatch):
    """Three rows for each model, in place of the usual ones."""
    monkeypatch.setattr("pozytywka_cli.families.similar.evaluate.FACTORS", (2,))
    monkeypatch.setattr("pozytywka_cli.families.similar.evaluate.ITERATIONS", (1,))
    answer = pozytywka("evaluate", "similar", "--curve", "--json", "--data-dir", sampled, "--artifacts-dir", tmp_path)
    assert answer.code == 0
    metrics = ("sampled_hit_rate@10", "training_seconds", "lookup_milliseconds")
    rows = [(row["variant"], row["metric"]) for row in json.loads(answer.out)["rows"]]
    assert rows == [("als, 2 factors, 1 iterations", metric) for metric in metrics]


def test_a_gpu_for_similar_alone_needs_implicit_alone(pozytywka, monkeypatch, tmp_path):
    """A torch without CUDA does not matter; a missing library is reported before any work."""
    from pozytywka_cli import implicit_gpu

    monkeypatch.setattr(implicit_gpu, "LIBRARIES", {"libno.so.13": "nvidia-no"})
    answer = pozytywka("train", "similar", "--gpu", "--data-dir", tmp_path)
    assert answer.code == 5
    assert "libno.so.13 of nvidia-no is missing" in answer.err


def test_the_truth_of_a_sample_is_measured(pozytywka, monkeypatch):
    """All variants beside item cosine: nine times in ten a genre is shared, and less often the main one."""
    monkeypatch.setattr("pozytywka_cli.pipeline.evaluate.USERS", 100)
    monkeypatch.setattr("pozytywka_cli.pipeline.evaluate.WEEKS", 20)
    answer = pozytywka("evaluate", "similar", "--planted", "--json")
    rows = {(row["variant"], row["metric"]): row["value"] for row in json.loads(answer.out)["rows"]}
    variants = {variant for variant, _ in rows}
    assert variants == {"two-cosines", "als", "ppmi", "item cosine"}
    for variant in variants:
        assert 0 < rows[variant, "main_genre@5"] < rows[variant, "shared_genre@5"] <= 1
    assert rows["two-cosines", "shared_genre@5"] >= 0.9
