"""The flags of similar, through the command line."""

import json

import pytest


def test_flags_reach_the_settings(pozytywka, sampled, tmp_path):
    """All of similar's; the manifest keeps them."""
    flags = ["--weighting", "bm25", "--factors", "3", "--regularization", "0.5", "--alpha", "2", "--iterations", "4"]
    folders = ["--data-dir", sampled, "--artifacts-dir", tmp_path / "artifacts"]
    assert pozytywka("-q", "train", "similar", *flags, "--min-listeners", "2", *folders).code == 0
    shown = json.loads(pozytywka("models", "show", "similar", "--json", *folders).out)["rows"][0]
    assert shown["settings"] == {
        "weighting": "bm25",
        "factors": 3,
        "regularization": 0.5,
        "alpha": 2.0,
        "iterations": 4,
        "min_listeners": 2,
    }


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_flags_of_similar_are_refused_without_it(pozytywka, tmp_path, command):
    """Exit 2 before any work; each is named as it was given."""
    answer = pozytywka(command, "skip", "--factors", "2", "--min-listeners", "2", "--data-dir", tmp_path)
    assert answer.code == 2
    problem = "--factors and --min-listeners: similar alone reads this"
    assert answer.err == f"error: {problem}\nName similar, or leave out --factors and --min-listeners.\n"


def test_an_unknown_weighting_is_refused(pozytywka, tmp_path):
    """Exit 2, and the flag and its values are named."""
    answer = pozytywka("train", "similar", "--weighting", "tfidf", "--data-dir", tmp_path)
    assert answer.code == 2
    assert answer.err.startswith("error: Invalid value for '--weighting': ")
    assert "is not one of 'log1p', 'bm25', 'raw'" in answer.err


@pytest.mark.parametrize(("flag", "value"), [("--alpha", "0"), ("--alpha", "inf"), ("--regularization", "2e9")])
def test_a_number_out_of_range_is_refused_at_the_flag(pozytywka, tmp_path, flag, value):
    """Exit 2, and the flag is named."""
    answer = pozytywka("train", "similar", flag, value, "--data-dir", tmp_path)
    assert answer.code == 2
    assert answer.err.startswith(f"error: Invalid value for '{flag}': ")


def test_the_curve_is_a_table(pozytywka, sampled, tmp_path, monkeypatch):
    """Three rows for each model, in place of the usual ones."""
    monkeypatch.setattr("pozytywka_cli.families.similar.tradeoff.FACTORS", (2,))
    monkeypatch.setattr("pozytywka_cli.families.similar.tradeoff.ITERATIONS", (1,))
    answer = pozytywka("evaluate", "similar", "--curve", "--json", "--data-dir", sampled, "--artifacts-dir", tmp_path)
    assert answer.code == 0
    told = [(row["variant"], row["metric"]) for row in json.loads(answer.out)["rows"]]
    assert told == [("als, 2 factors, 1 iterations", m) for m in ("PM", "training, seconds", "lookup, milliseconds")]


def test_what_the_curve_goes_over_cannot_be_fixed(pozytywka, tmp_path):
    """Refused before any work."""
    answer = pozytywka("evaluate", "similar", "--curve", "--factors", "8", "--iterations", "2", "--data-dir", tmp_path)
    assert answer.code == 2
    problem = "--curve goes over --factors and --iterations"
    assert answer.err == f"error: {problem}\nLeave out --factors and --iterations, or --curve.\n"


def test_a_gpu_for_similar_alone_asks_implicit_alone(pozytywka, monkeypatch, tmp_path):
    """A torch without CUDA does not matter to it; a missing library does, before any work."""
    from pozytywka_cli.families.similar import implicit_gpu

    monkeypatch.setattr(implicit_gpu, "LIBRARIES", (implicit_gpu.Library("libno.so.13", "nvidia-no"),))
    answer = pozytywka("train", "similar", "--gpu", "--data-dir", tmp_path)
    assert answer.code == 5
    assert "libno.so.13 of nvidia-no is missing" in answer.err


def test_the_truth_of_a_sample_is_measured(pozytywka, monkeypatch):
    """ALS beside item cosine: how often a genre is shared, which is nine times in ten, and how often the main one."""
    monkeypatch.setattr("pozytywka_cli.pipeline.ground_truth.USERS", 100)
    monkeypatch.setattr("pozytywka_cli.pipeline.ground_truth.WEEKS", 20)
    answer = pozytywka("evaluate", "similar", "--planted", "--json")
    rows = {(row["variant"], row["metric"]): row["value"] for row in json.loads(answer.out)["rows"]}
    assert {variant for variant, _ in rows} == {"als", "item cosine"}
    for variant in ("als", "item cosine"):
        assert 0 < rows[variant, "same main genre in top 5"] < rows[variant, "shared genre in top 5"] <= 1
    assert rows["als", "shared genre in top 5"] >= 0.9
