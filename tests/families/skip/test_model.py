"""The models: initial weights, saved files, and predictions that do not depend on other rows."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from skops import io

from pozytywka_cli.artifacts import Draft
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.skip import card
from pozytywka_cli.families.skip.features.genres import Genres
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.readers import PastRate, Scaling
from pozytywka_cli.families.skip.models.forward import CHUNK
from pozytywka_cli.families.skip.models.model import READERS, Baseline, Forest, Model, read_classifier
from pozytywka_cli.families.skip.models.modules import Modules
from pozytywka_cli.families.skip.models.networks import MEMBERS, Networks, shapes
from pozytywka_cli.families.skip.settings import SkipSettings

from .trained import VARIANTS
from .worlds import listeners, saved, tangle, tangled

LOG = PlayLog.of(tangled(tangle(3, plays=CHUNK + 150), 3))
ALL = np.ones(len(LOG.plays), np.bool_)
SETTINGS = SkipSettings()


def predicted(model: Model, rows: pl.DataFrame, log: PlayLog = LOG) -> np.ndarray:
    """The model's predictions for rows."""
    return model.predict_proba(model.reader.open(log)(rows), model.reader.known(rows, log))


def modules(variant: str) -> Modules:
    """Members whose last layers are not zero, as after training."""
    reader, _ = READERS[variant].prepare(LOG, ALL, SETTINGS)
    made = Modules.untrained(variant, reader, seed=1)
    generator = torch.Generator().manual_seed(0)
    for member in made.members:
        for parameter in member.parameters():
            torch.nn.init.normal_(parameter, std=0.3, generator=generator)
        member.eval()
    return made


def trained_like(variant: str) -> Networks:
    """The same as a model that answers."""
    return modules(variant).handed_over()


def forest(log: PlayLog, rows: int, seed: int) -> Forest:
    """A forest fitted on all plays."""
    reader, inputs = Genres.prepare(log, np.ones(len(log.plays), np.bool_), SETTINGS)
    return Forest.fit(reader, inputs, log.plays["skipped"].to_numpy(), rows=rows, seed=seed)


MODELS = {
    model.variant: model
    for model in (
        trained_like("advanced"),
        trained_like("simple"),
        forest(LOG, rows=1000, seed=0),
        trained_like("logistic"),
        trained_like("legacy"),
        Baseline("user-rate", PastRate(0.3)),
        Baseline("constant", PastRate(0.3)),
    )
}


def test_there_is_a_model_for_every_variant():
    """And a reader of its inputs."""
    assert list(MODELS) == VARIANTS
    assert list(READERS) == VARIANTS


@pytest.mark.parametrize("model", MODELS.values(), ids=VARIANTS)
def test_a_batch_is_predicted_as_its_rows_one_by_one(model):
    """Bit for bit, wherever in the batch a row is."""
    rows = LOG.plays
    whole = predicted(model, rows)
    assert whole.dtype == np.float64
    assert ((whole > 0) & (whole < 1)).all()
    assert model.variant == "constant" or len(np.unique(whole)) > 10
    for row in range(0, len(rows), 97):
        assert predicted(model, rows[row]).tobytes() == whole[row : row + 1].tobytes()
    order = np.random.default_rng(0).permutation(len(rows))
    assert predicted(model, rows[order]).tobytes() == whole[order].tobytes()
    assert predicted(model, rows.head(0)).shape == (0,)


@pytest.mark.parametrize("variant", ["advanced", "simple", "logistic"])
def test_an_untrained_network_is_exactly_the_constant(variant: str):
    """To the last bit: scores start at zero, above the training rate's log-odds."""
    reader, _ = READERS[variant].prepare(LOG, ALL, SETTINGS)
    probabilities = predicted(Modules.untrained(variant, reader, seed=5).handed_over(), LOG.plays)
    assert probabilities.tobytes() == predicted(Baseline("constant", PastRate(reader.skip_rate)), LOG.plays).tobytes()
    assert probabilities[0] == pytest.approx(LOG.plays["skipped"].mean())


def test_initial_weights_depend_on_the_seed_alone():
    """And the members of one model differ."""
    reader, _ = Genres.prepare(LOG, ALL, SETTINGS)
    first, again, other = (Modules.untrained("simple", reader, seed).handed_over().members for seed in (1, 1, 2))
    for one, same in zip(first, again, strict=True):
        assert all(array.tobytes() == same.weights[name].tobytes() for name, array in one.weights.items())
    assert len({member.weights["deep.0.weight"].sum() for member in (*first, *other)}) == 6


def test_features_are_scaled_with_training_plays_and_unknown_attributes_have_their_mean():
    """And they are clipped at 5 deviations."""
    training = np.arange(len(LOG.plays)) < 200
    reader, (inputs,) = Scaling.prepare(LOG, training, SETTINGS)
    column = list(reader.mean).index("moving_average")
    assert inputs[:200, column].mean() == pytest.approx(0, abs=1e-5)
    assert inputs[:200, column].std() == pytest.approx(1, abs=1e-2)
    assert np.abs(inputs).max() <= 5
    unknown = LOG.plays["track_id"].is_in(["t30", "t31", "t32"]).to_numpy()
    assert not inputs[unknown][:, list(reader.mean).index("tempo")].any()
    assert np.array_equal(reader.open(LOG)(LOG.plays)[0], inputs)


def test_genres_are_numbered_by_how_common_they_are_and_unknown_ones_have_a_number():
    """Lists are padded with 0; a genre or an artist that training did not know is 1."""
    reader, _ = Genres.prepare(LOG, ALL, SETTINGS)
    assert sorted(reader.vocabulary) == ["ambient", "blues", "choral", "disco", "electro"]
    assert (reader.user_width, reader.artist_width) == (2, 2)
    t1, t32 = (LOG.plays.filter(pl.col("track_id") == track).head(1) for track in ("t1", "t32"))
    user, artist = reader.open(LOG)(t1)
    assert set(user[0].tolist()) <= set(range(2, 7))
    assert artist.tolist() == [[reader.vocabulary.index("blues") + 2, 0]]
    assert reader.open(LOG)(t32)[1].tolist() == [[1, 0]]
    assert Genres(0.3, 2, 2, ["ambient"]).open(LOG)(t1)[1].tolist() == [[1, 0]]


@pytest.mark.parametrize("model", [MODELS[name] for name in ("simple", "forest", "legacy")], ids=lambda m: m.variant)
def test_models_of_genres_predict_the_training_rate_for_an_unknown_user(model):
    """They know a user by favourite genres alone."""
    stranger = LOG.plays.head(3).with_columns(user_id=pl.lit(99, pl.Int64))
    assert predicted(model, stranger) == pytest.approx(model.skip_rate)


def test_the_forest_is_fitted_on_as_many_rows_as_allowed_the_same_ones_for_a_seed():
    """And fitted again it is the same forest."""
    log = PlayLog.of(listeners(0, users=6, each=100, persona=False))
    probabilities = [
        predicted(forest(log, rows, seed), log.plays, log) for rows, seed in ((300, 1), (300, 1), (300, 2), (600, 1))
    ]
    np.testing.assert_array_equal(probabilities[0], probabilities[1])
    assert (probabilities[0] != probabilities[2]).any()
    assert (probabilities[0] != probabilities[3]).any()


class Foreign:
    """A type that skops does not know."""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (Foreign(), "Foreign"),
        (LogisticRegression(), "LogisticRegression"),
        ({"forest": RandomForestClassifier()}, "dict"),
    ],
    ids=["foreign", "other", "dict"],
)
def test_a_skops_file_with_anything_but_a_forest_is_refused(tmp_path: Path, content, problem: str):
    """Also one that skops itself would load."""
    path = tmp_path / "forest.skops"
    io.dump(content, path)
    with pytest.raises(ArtifactError) as refused:
        read_classifier(path)
    assert problem in refused.value.message
    assert str(path) in refused.value.message
    assert "pozytywka train skip --force" in refused.value.hint


def test_layers_halve_their_units_and_the_shape_is_saved(tmp_path: Path):
    """The settings decide it."""
    settings = SkipSettings(layers=3, width=20)
    reader, _ = Scaling.prepare(LOG, ALL, settings)
    reader.save(tmp_path)
    for known in (reader, msgspec.json.decode((tmp_path / "model.json").read_bytes(), type=Scaling)):
        member = Modules.untrained("advanced", known, seed=0).members[0]
        layers = [module for module in member.modules() if isinstance(module, torch.nn.Linear)]
        assert [layer.out_features for layer in layers] == [20, 10, 5, 1, 1]


def test_a_model_that_was_saved_without_a_shape_has_two_layers():
    """Older versions stay readable, also without the features that they did not have."""
    reader, inputs = Scaling.prepare(LOG, ALL, SETTINGS)
    older = {name: value for name, value in msgspec.to_builtins(reader).items() if name in ("fitted", "mean")}
    del older["mean"]["stump_average"]
    known = msgspec.convert(older | {"deviation": dict.fromkeys(older["mean"], 1.0)}, Scaling)
    assert (known.layers, known.width) == (2, 64)
    assert known.open(LOG)(LOG.plays)[0].shape[1] == inputs[0].shape[1] - 1


def test_older_versions_have_no_regression_beside_the_networks(tmp_path: Path):
    """The weights tell; the answers are those of the networks that were saved."""
    model, (_, inputs) = MODELS["advanced"], Scaling.prepare(LOG, ALL, SETTINGS)
    for members in (model.members, model.members[:-1]):
        given = replace(model, members=members)
        draft = Draft("advanced", given.save, {}, [], card.text(model.skip_rate))
        loaded = Networks.load(saved(draft, tmp_path / str(len(members))))
        assert [type(member) for member in loaded.members] == MEMBERS["advanced"][: len(members)]
        assert loaded.probability(inputs).tobytes() == given.probability(inputs).tobytes()


@pytest.mark.parametrize("variant", MEMBERS)
def test_a_model_answers_what_its_torch_modules_have_learned(variant: str):
    """Up to the precision of single numbers; weights have the names and shapes that a file must have."""
    made, (_, inputs) = modules(variant), READERS[variant].prepare(LOG, ALL, SETTINGS)
    for module, member in zip(made.members, made.handed_over().members, strict=True):
        with torch.inference_mode():
            expected = module(*map(torch.from_numpy, inputs)).numpy()
        assert member.score(inputs) == pytest.approx(expected, abs=1e-5)
        assert {name: array.shape for name, array in member.weights.items()} == shapes(type(member), made.reader)


SCORES = """
import sys
import numpy as np
from pozytywka_cli.families.skip.models.forward import FeatureNetwork
random = np.random.default_rng(0)
units = [43, *map(int, sys.argv[1:]), 1]
weights = {"linear.weight": (1, 43), "linear.bias": (1,)}
for layer, (inputs, outputs) in enumerate(zip(units, units[1:])):
    weights |= {f"deep.{3 * layer}.weight": (outputs, inputs), f"deep.{3 * layer}.bias": (outputs,)}
network = FeatureNetwork({name: random.normal(0, 0.2, shape).astype(np.float32) for name, shape in weights.items()})
rows = random.normal(size=(1000, 43)).astype(np.float32)
batch = network.score((rows,))
assert network.score((rows[::-1],)).tobytes() == batch[::-1].tobytes()
assert all(network.score((rows[[row]],)).tobytes() == batch[[row]].tobytes() for row in range(0, 1000, 37))
print(batch.tobytes().hex())
"""


@pytest.mark.parametrize("units", [(64, 32), (50, 25, 12), (1500, 750)], ids=str)
def test_scores_do_not_depend_on_the_number_of_threads(units: tuple[int, ...]):
    """Nor on the place of a row among others; to the last bit, also where products are large enough to be divided."""
    scores = set()
    for threads in ("1", "2", "3", "5"):
        environment = os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        words = [sys.executable, "-c", SCORES, *map(str, units)]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        scores.add(done.stdout)
    assert len(scores) == 1
