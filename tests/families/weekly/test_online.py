"""Single requests, answered from forecasts that were computed before."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.artifacts import Store, Version
from pozytywka_cli.catalogue.json_table import JsonTable
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import ArtifactError, NotFoundError, PozytywkaError, UsageError
from pozytywka_cli.families.weekly import FAMILY
from pozytywka_cli.families.weekly.online import FORECASTS, WeeklyAnswerer
from pozytywka_cli.families.weekly.predict import WeeklyPredictor, WeeklyRequest
from pozytywka_cli.pipeline import online

from ..answering import FRAMES_AND_TRAINING, answerer, as_json, in_a_process, predicted
from .trained import noise, saved, trained
from .worlds import dataset_from

NAMES = ["Łona", "lóna!", None, "Ünder — 東京"]


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Artists of which some have odd names, and one fell silent."""
    dataset = noise(44)
    names = [*NAMES, *dataset.artists["name"][len(NAMES) :]]
    return replace(dataset, artists=dataset.artists.with_columns(name=pl.Series(names)))


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory, data: Dataset) -> Version:
    """A version that looks three weeks ahead."""
    folder = tmp_path_factory.mktemp("artifacts")
    return saved(folder, trained(data, "mean", horizon=3).model, horizon=3)


def opened(version: Version, data: Dataset) -> WeeklyAnswerer:
    """The answerer, after preparation."""
    found = answerer(version, data)
    assert isinstance(found, WeeklyAnswerer)
    return found


@pytest.mark.parametrize("variant", FAMILY.variants)
def test_answers_are_those_of_the_predictor(variant: str, tmp_path: Path, data: Dataset):
    """To the last bit, for every artist and any number of weeks."""
    if FAMILY.variants[variant].extra:
        pytest.importorskip("statsforecast")
    if variant == "seasonal":
        data = noise(110, artists=3)
    made = saved(tmp_path, trained(data, variant, horizon=3).model, horizon=3)
    predictor, answers = WeeklyPredictor.open(made, data), opened(made, data)
    artists = predictor.default_requests()["artist_id"].to_list()
    for horizon in (None, 1, 2, 3):
        requests = [WeeklyRequest(artist, horizon) for artist in artists]
        frames = [pl.DataFrame([{"artist_id": artist, "horizon": horizon}]) for artist in artists]
        assert as_json(answers.answer(requests)) == [predicted(predictor.predict(frame)) for frame in frames]


def test_a_fallback_is_named(tmp_path: Path):
    """As by the predictor: here the mean in place of a network that needs more weeks."""
    data = noise(8)
    draft = trained(data).model
    assert draft.fallback_for
    made = saved(tmp_path, draft)
    predictor, artist = WeeklyPredictor.open(made, data), "artist 003"
    (rows,) = opened(made, data).answer([WeeklyRequest(artist)])
    assert rows[0]["method"] == "mean, a fallback"
    assert as_json(rows) == predicted(predictor.predict(pl.DataFrame({"artist_id": [artist]})))


def test_what_is_unknown_is_null(tmp_path: Path, version: Version):
    """The usual of an artist with no earlier week, and the change of one that is silent."""
    listened = np.array([[200.0] * 8, [0.0] * 4 + [8, 9, 7, 6], [8.0] * 4 + [0] * 4])
    copytree(version.folder.parents[2], tmp_path / "artifacts")
    made = Store(tmp_path / "artifacts").load("weekly", version.name)
    answers = opened(made, dataset_from(listened))
    (young,), (silent,) = answers.answer([WeeklyRequest("artist 001", 1), WeeklyRequest("artist 002", 1)])
    assert (young["usual"], silent["change"]) == (None, None)


@pytest.mark.parametrize(
    "requests",
    [
        [("nobody", None)],
        [("artist 001", 1), ("x" * 100, 9)],
        [("artist 001", 0)],
        [("artist 001", 4)],
        [("artist 001", -(2**63))],
    ],
)
def test_what_cannot_be_answered_is_refused_as_by_the_predictor(requests, version: Version, data: Dataset):
    """With the same message and hint."""
    predictor, answers = WeeklyPredictor.open(version, data), opened(version, data)
    frame = pl.DataFrame(requests, {"artist_id": pl.String, "horizon": pl.Int64}, orient="row")
    with pytest.raises((NotFoundError, UsageError)) as expected:
        predictor.predict(frame)
    with pytest.raises(type(expected.value)) as found:
        answers.answer([WeeklyRequest(*one) for one in requests])
    assert (found.value.message, found.value.hint) == (expected.value.message, expected.value.hint)


@pytest.mark.parametrize(
    "name", ["LONA", "łóna", "løna", "artist 002", "under 東京", "the ARTIST 007", "Artist 00x", ""]
)
def test_artists_are_found_by_name_as_by_the_predictor(name: str, version: Version, data: Dataset):
    """Also with letters that fold, and with a typo, which is refused."""

    def result(find) -> object:
        try:
            return find(name)
        except PozytywkaError as error:
            return type(error), error.message, error.hint

    assert result(opened(version, data).artist_ids) == result(WeeklyPredictor.open(version, data).artist_ids)


def test_damaged_files_are_damage(version: Version, data: Dataset, tmp_path: Path):
    """Nonsense is noticed when it is read; a file that is truncated, or of other artists, when it is opened."""
    copytree(version.folder.parents[2], tmp_path / "artifacts")
    made = Store(tmp_path / "artifacts").load("weekly", version.name)
    online.prepare(made, data)
    path = made.prepared / FORECASTS
    content = path.read_bytes()
    path.write_bytes(content.replace(b"[{", b"[["))
    answers = WeeklyAnswerer.open(made, made.prepared, lambda: None)
    with pytest.raises(ArtifactError, match="damaged"):
        answers.answer([WeeklyRequest("artist 001")])
    JsonTable.write(made.prepared / "one.bin", [[]])
    for wrong in (content[:100], (made.prepared / "one.bin").read_bytes()):
        path.write_bytes(wrong)
        with pytest.raises(ArtifactError, match="damaged"):
            WeeklyAnswerer.open(made, made.prepared, lambda: None)


def test_nothing_heavy_is_imported(version: Version, data: Dataset):
    """Neither to open a version nor to answer."""
    requests = [WeeklyRequest("artist 003"), WeeklyRequest("artist 001", 2)]
    expected = opened(version, data).answer(requests)
    answers, modules = in_a_process(version, requests)
    assert answers == as_json(expected)
    assert not modules & (FRAMES_AND_TRAINING | {"scipy"})
