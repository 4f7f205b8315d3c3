"""The models of arms."""

import msgspec
import pytest

from pozytywka_cli.errors import UsageError
from pozytywka_cli.experiments.arm_models import Model, check_models, parse_model
from pozytywka_cli.experiments.definition import METRICS, Arm, Experiment

VERSION = "20261130T102814Z-86d0e8d8"


def experiment(*models: str | None) -> Experiment:
    """An experiment whose arms have these models."""
    arms = [Arm(f"arm-{number}", "1", model) for number, model in enumerate(models)]
    return Experiment("test", "user", arms, "salt", [METRICS["skip_rate"]])


def test_a_model_is_a_family_a_variant_or_a_version():
    """A version by its name or the end of it, also of a run that was repeated within a second."""
    assert parse_model("skip") == Model("skip")
    for name in ("advanced", VERSION, f"{VERSION}+", "86d0e8d8"):
        assert parse_model(f"skip/{name}") == Model("skip", name)


@pytest.mark.parametrize("text", ["", "advanced", "skip/", "skip/quick", "skip/forest/x", f"skip/../{VERSION}", "Skip"])
def test_an_impossible_model_is_refused(text):
    """With what is possible."""
    with pytest.raises(UsageError) as caught:
        parse_model(text)
    assert "hoose" in caught.value.hint


@pytest.mark.parametrize("models", [("skip", "weekly"), ("skip", None), (None, "skip/forest", "skip")])
def test_arms_have_models_of_one_family_or_none(models):
    """All of them."""
    with pytest.raises(UsageError):
        check_models(experiment(*models).arms)
    check_models(experiment("skip", "skip/forest").arms)
    check_models(experiment(None, None).arms)


def test_an_experiment_knows_its_family():
    """If all arms have a model; one that was stored before models had families loads, and has none."""
    assert experiment("skip", "skip/forest").family == "skip"
    assert experiment(None, None).family is None
    old = msgspec.json.encode(experiment(None, "advanced"))
    assert msgspec.json.decode(old, type=Experiment).family is None
