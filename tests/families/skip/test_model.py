"""The models: what they start from, what they save, and that a row's answer is its own."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from skops import io

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.skip import BASELINE, BASELINES, VARIANTS
from pozytywka_cli.families.skip.features.genres import Genres
from pozytywka_cli.families.skip.features.history import canonical
from pozytywka_cli.families.skip.features.scaling import Standard
from pozytywka_cli.families.skip.models.baselines import Constant, UserRate
from pozytywka_cli.families.skip.models.forest import Forest, read_classifier
from pozytywka_cli.families.skip.models.model import BLOCK, READERS, Networks
from pozytywka_cli.settings import SkipSettings

from .worlds import listeners, tangle, tangled

GIVEN = tangled(tangle(3, plays=BLOCK + 150), 3)
ALL = np.ones(len(GIVEN.plays), np.bool_)


SETTINGS = SkipSettings()


def trained_like(variant: str) -> Networks:
    """Networks whose last layers are not zero, as after training."""
    reader, _ = READERS[variant].prepare(GIVEN, ALL, SETTINGS)
    model = Networks.untrained(variant, reader, seed=1)
    generator = torch.Generator().manual_seed(0)
    for parameter in model.members.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=generator)
    model.members.eval()
    return model


def forest(given: Dataset, rows: int, seed: int) -> Forest:
    """A forest fitted on all plays."""
    reader, inputs = Genres.prepare(given, np.ones(len(given.plays), np.bool_), SETTINGS)
    return Forest.fit(reader, inputs, given.plays["skipped"].to_numpy(), rows=rows, seed=seed)


MODELS = {
    model.variant: model
    for model in (
        trained_like("advanced"),
        trained_like("simple"),
        forest(GIVEN, rows=1000, seed=0),
        trained_like("logistic"),
        trained_like("legacy"),
        UserRate(0.3),
        Constant(0.3),
    )
}


def test_there_is_a_model_for_every_variant():
    """The default comes first, and the baseline is one of them."""
    assert tuple(MODELS) == VARIANTS
    assert {BASELINE, *BASELINES} < set(VARIANTS)


@pytest.mark.parametrize("model", MODELS.values(), ids=VARIANTS)
def test_a_batch_is_predicted_as_its_rows_one_by_one(model):
    """Bit for bit, wherever in the batch a row stands."""
    asked = GIVEN.plays
    whole = model.predict_proba(asked, GIVEN)
    assert whole.dtype == np.float64
    assert ((whole > 0) & (whole < 1)).all()
    assert model.variant == "constant" or len(np.unique(whole)) > 10
    for row in range(0, len(asked), 97):
        assert model.predict_proba(asked[row], GIVEN).tobytes() == whole[row : row + 1].tobytes()
    order = np.random.default_rng(0).permutation(len(asked))
    assert model.predict_proba(asked[order], GIVEN).tobytes() == whole[order].tobytes()
    assert model.predict_proba(asked.head(0), GIVEN).shape == (0,)
    if model.variant in READERS:
        assert model.predict_proba(asked, GIVEN, model.reader.inputs(asked, GIVEN)).tobytes() == whole.tobytes()


@pytest.mark.parametrize("variant", ["advanced", "simple", "logistic"])
def test_an_untrained_network_is_exactly_the_constant(variant: str):
    """To the last bit: scores start at zero, above the training rate's log-odds."""
    reader, _ = READERS[variant].prepare(GIVEN, ALL, SETTINGS)
    found = Networks.untrained(variant, reader, seed=5).predict_proba(GIVEN.plays, GIVEN)
    assert found.tobytes() == Constant(reader.skip_rate).predict_proba(GIVEN.plays, GIVEN).tobytes()
    assert found[0] == pytest.approx(GIVEN.plays["skipped"].mean())


def test_initial_weights_depend_on_the_seed_alone():
    """And the members of one model differ."""
    reader, _ = Genres.prepare(GIVEN, ALL, SETTINGS)
    first, again, other = (Networks.untrained("simple", reader, seed).members.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    weights = [tensors[f"{member}.deep.0.weight"] for tensors in (first, other) for member in range(3)]
    assert len({tensor.sum().item() for tensor in weights}) == 6


def test_the_scaler_is_of_the_training_plays_and_unknown_attributes_lie_at_their_mean():
    """Features are standardised and kept within 5 deviations."""
    log = replace(GIVEN, plays=canonical(GIVEN.plays))
    training = np.arange(len(log.plays)) < 200
    reader, (inputs,) = Standard.prepare(log, training, SETTINGS)
    column = list(reader.mean).index("moving_average")
    assert inputs[:200, column].mean().item() == pytest.approx(0, abs=1e-5)
    assert inputs[:200, column].std(unbiased=False).item() == pytest.approx(1, abs=1e-2)
    assert inputs.abs().max() <= 5
    unknown = log.plays["track_id"].is_in(["t30", "t31", "t32"]).to_numpy()
    assert not inputs[torch.from_numpy(unknown)][:, list(reader.mean).index("tempo")].any()
    assert torch.equal(reader.inputs(log.plays, log)[0], inputs)


def test_genres_are_numbered_by_how_common_they_are_and_unknown_ones_have_a_number():
    """Lists are padded with 0; a genre or an artist that training did not know is 1."""
    reader, _ = Genres.prepare(GIVEN, ALL, SETTINGS)
    assert sorted(reader.vocabulary) == ["ambient", "blues", "choral", "disco", "electro"]
    assert (reader.user_width, reader.artist_width) == (2, 2)
    user, artist = reader.numbers(GIVEN.plays.filter(GIVEN.plays["track_id"] == "t1").head(1), GIVEN)
    assert set(user[0]) <= set(range(2, 7))
    assert artist.tolist() == [[reader.vocabulary.index("blues") + 2, 0]]
    _, stranger = reader.numbers(GIVEN.plays.filter(GIVEN.plays["track_id"] == "t32").head(1), GIVEN)
    assert stranger.tolist() == [[1, 0]]
    fewer = Genres(0.3, 2, 2, ["ambient"])
    assert fewer.numbers(GIVEN.plays.filter(GIVEN.plays["track_id"] == "t1").head(1), GIVEN)[1].tolist() == [[1, 0]]


@pytest.mark.parametrize("model", [MODELS[name] for name in ("simple", "forest", "legacy")], ids=lambda m: m.variant)
def test_models_of_genres_answer_with_the_training_rate_for_an_unknown_user(model):
    """They know a user by favourite genres alone."""
    stranger = GIVEN.plays.head(3).with_columns(user_id=99)
    assert model.predict_proba(stranger, GIVEN) == pytest.approx(model.skip_rate)


def test_the_forest_is_fitted_on_as_many_rows_as_allowed_the_same_ones_for_a_seed():
    """And fitted again it is the same forest."""
    given = listeners(0, users=6, each=100, persona=False)
    found = [
        forest(given, rows, seed).predict_proba(given.plays, given)
        for rows, seed in ((300, 1), (300, 1), (300, 2), (600, 1))
    ]
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()
    assert (found[0] != found[3]).any()


class Foreign:
    """A type that skops does not know."""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            Foreign(),
            "holds what no random forest holds: Untrusted types found in the file: ['tests.skip.test_model.Foreign",
        ),
        (LogisticRegression(), "holds a LogisticRegression, not a random forest"),
        ({"forest": RandomForestClassifier()}, "holds a dict, not a random forest"),
    ],
    ids=["foreign", "other", "dict"],
)
def test_a_skops_file_with_anything_but_a_forest_is_refused(tmp_path: Path, content, problem: str):
    """Also one that skops itself would load."""
    path = tmp_path / "forest.skops"
    io.dump(content, path)
    with pytest.raises(ArtifactError) as refused:
        read_classifier(path)
    assert problem.split("['")[0] in refused.value.message
    assert str(path) in refused.value.message
    assert refused.value.hint == "Train it again with `pozytywka train skip --force`."


def test_layers_halve_their_units_and_the_shape_is_kept(tmp_path: Path):
    """Settings decide, and what is loaded again has it."""
    settings = SkipSettings(layers=3, width=20)
    reader, _ = Standard.prepare(GIVEN, ALL, settings)
    reader.save(tmp_path)
    for known in (reader, msgspec.json.decode((tmp_path / "model.json").read_bytes(), type=Standard)):
        member = Networks.untrained("advanced", known, seed=0).members[0]
        layers = [module for module in member.modules() if isinstance(module, torch.nn.Linear)]
        assert [layer.out_features for layer in layers] == [20, 10, 5, 1, 1]


def test_what_was_saved_before_shapes_were_kept_has_two_layers():
    """Older versions stay readable."""
    reader, _ = Standard.prepare(GIVEN, ALL, SETTINGS)
    older = {name: value for name, value in msgspec.to_builtins(reader).items() if name not in ("layers", "width")}
    assert msgspec.convert(older, Standard) == reader
