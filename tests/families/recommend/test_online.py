"""Single requests, answered without frames from what was prepared."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from shutil import copytree

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.artifacts import Store, Version
from pozytywka_cli.catalogue.string_table import StringTable
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.predictor import Answer
from pozytywka_cli.families.recommend.features import files
from pozytywka_cli.families.recommend.features.history import History
from pozytywka_cli.families.recommend.features.signals import ALL, NEW
from pozytywka_cli.families.recommend.models.model import BlendWeights, Weights
from pozytywka_cli.families.recommend.online import RecommendAnswerer
from pozytywka_cli.families.recommend.predict import RecommendPredictor
from pozytywka_cli.families.recommend.prepare import prepare
from pozytywka_cli.families.recommend.requests import RecommendRequest
from pozytywka_cli.pipeline import online

from ..answering import FRAMES_AND_TRAINING, as_json, in_a_process, predicted
from .trained import VARIANTS, Skips, by_name, fit, run, saved_model
from .worlds import FULL, LIKED, SKIPPED, dataset, fans, history_of, noise

PLAYS = [
    *((1, f"t{number}", number, FULL) for number in (0, 4)),
    (1, "t4", 5, SKIPPED),
    *((2, f"t{number}", 6, LIKED) for number in range(6)),
    (4, "s9", 7, FULL),
]
USERS = {2: ["rock"], 3: ["Jazz", "polka"], 5: None}
DRAWN = dict(zip(ALL, np.random.default_rng(5).normal(size=len(ALL)).tolist(), strict=True))
WEIGHTS = BlendWeights(Weights({name: DRAWN[name] for name in NEW}, 0.7), Weights(DRAWN, 0.3))
WORLDS = {"small": dataset(PLAYS, users=USERS), "fans": fans(plays=20), "noise": noise()}


class SkipRequest(msgspec.Struct):
    """A user and a track."""

    user_id: int
    track_id: str


@dataclass
class SkipAnswerer:
    """An answerer of skips; `asked` counts the requests of each call."""

    Request = SkipRequest
    asked: list[int] = field(default_factory=list)

    def answer(self, requests: list[SkipRequest]) -> list[list[Answer]]:
        self.asked.append(len(requests))
        return [[{"probability": chance(one.user_id, one.track_id)}] for one in requests]


def chance(user: int, track: str) -> float:
    """A chance of a skip that depends on both."""
    return (by_name(user, track) + user % 7 / 7) / 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recommend")


@cache
def prepared(folder: Path, world: str, variant: str) -> tuple[Version, Path]:
    """A variant fitted to a part of a log, as a version, and what was prepared for it from the whole log."""
    data = WORLDS[world]
    part = data.until(data.plays["started_at"].quantile(0.8))
    version = saved_model(folder / world / variant, fit(history_of(part), run(variant), WEIGHTS)[0])
    target = folder / world / variant / "prepared"
    target.mkdir()
    prepare(version, data, target)
    return version, target


@cache
def opened(folder: Path, world: str, variant: str) -> tuple[RecommendPredictor, RecommendAnswerer]:
    """Both of a version, with a skip model."""
    version, target = prepared(folder, world, variant)
    predictor = RecommendPredictor.open(version, WORLDS[world], lambda: Skips(chance))
    return predictor, RecommendAnswerer.open(version, target, SkipAnswerer)


REQUESTS = st.lists(
    st.builds(
        RecommendRequest,
        user_id=st.integers(-1, 25),
        count=st.integers(1, 30),
        allow_heard=st.booleans(),
        diversity=st.sampled_from([0.0, 0.2, 1.0]),
        tail=st.none() | st.integers(0, 30),
        like_track=st.none() | st.sampled_from(["03-01", "t2", "s9", "nothing", ""]),
        like_artist=st.none() | st.sampled_from(["Artist 3", "acki and sons", "BETA", "nobody", "Batta", "", "!"]),
        genres=st.none() | st.sampled_from(["genre 1", "genre 2,GENRE 3", "rock", "jazz, polka", "polka", ""]),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_answers_are_those_of_the_predictor(folder: Path, world: str, variant: str):
    """To the last bit, whatever is requested, and for every user of the log."""
    predictor, answerer = opened(folder, world, variant)
    everyone = [RecommendRequest(user) for user in predictor.default_requests()["user_id"]]
    frame = pl.DataFrame([msgspec.structs.asdict(one) for one in everyone])
    assert as_json([row for rows in answerer.answer(everyone) for row in rows]) == predicted(predictor.predict(frame))

    @settings(deadline=None, max_examples=40)
    @given(requests=REQUESTS)
    def same(requests: list[RecommendRequest]) -> None:
        frames = [pl.DataFrame([msgspec.structs.asdict(one)]) for one in requests]
        assert as_json(answerer.answer(requests)) == [predicted(predictor.predict(one)) for one in frames]

    same()


@pytest.mark.parametrize("variant", VARIANTS)
def test_skips_are_asked_about_once(folder: Path, variant: str):
    """All candidates of all users in one call; without a model of skips the answers are the predictor's, too."""
    version, target = prepared(folder, "fans", variant)
    skips, requests = SkipAnswerer(), [RecommendRequest(1), RecommendRequest(2)]
    RecommendAnswerer.open(version, target, lambda: skips).answer(requests)
    assert len(skips.asked) == (variant in ("blend", "preference"))
    alone = RecommendAnswerer.open(version, target, lambda: None).answer(requests)
    frame = pl.DataFrame({"user_id": [1, 2]})
    expected = RecommendPredictor.open(version, WORLDS["fans"]).predict(frame)
    assert as_json([row for rows in alone for row in rows]) == predicted(expected)


@pytest.mark.parametrize("user", [2**63, -(2**63) - 1, 2**200])
def test_an_id_beyond_64_bits_is_unknown(folder: Path, user: int):
    """As any other that is not there."""
    ((row,),) = opened(folder, "small", "popular")[1].answer([RecommendRequest(user)])
    assert str(user) in row["problem"]


def test_a_log_without_plays_is_prepared(tmp_path: Path):
    """Of a user who only has favourite genres."""
    data = dataset([], users={1: ["rock"]})
    version = saved_model(tmp_path / "version", fit(history_of(dataset(PLAYS)), run("als"))[0])
    (tmp_path / "prepared").mkdir()
    prepare(version, data, tmp_path / "prepared")
    answerer = RecommendAnswerer.open(version, tmp_path / "prepared", lambda: None)
    frame = pl.DataFrame({"user_id": [1, 2]})
    (first, second) = answerer.answer([RecommendRequest(1), RecommendRequest(2)])
    assert as_json(first + second) == predicted(RecommendPredictor.open(version, data).predict(frame))


def changed(target: Path, name: str, copy: Path) -> Path:
    """A copy of what was prepared, with a file of another length, or with numbers that are far out of range."""
    copytree(target, copy)
    if name.endswith(".bin"):
        table = StringTable.load(copy / name)
        StringTable.of(table.list()[:-1]).save(copy / name)
        return copy
    values = np.load(copy / name)
    wrong = values[:-1] if name not in ("genres_indices.npy", "users_of_tracks_indices.npy") else values + 10**6
    np.save(copy / name, wrong.astype(values.dtype))
    return copy


@pytest.mark.parametrize(
    "name",
    [
        *(f"{name}.npy" for name in (*files.PLAYS, *files.COUNTS, "users", "artists", "known", "vectors")),
        *(f"{name}.bin" for name in files.TEXTS),
        "genres_indices.npy",
        "users_of_tracks_indices.npy",
        "favourites_indptr.npy",
    ],
)
def test_files_that_do_not_belong_together_are_damage(folder: Path, tmp_path: Path, name: str):
    """They are refused when they are opened; so is one that is missing."""
    version, target = prepared(folder, "fans", "blend")
    copy = changed(target, name, tmp_path / "copy")
    with pytest.raises(ArtifactError, match="damaged"):
        RecommendAnswerer.open(version, copy, lambda: None)
    (copy / name).unlink()
    with pytest.raises(ArtifactError):
        RecommendAnswerer.open(version, copy, lambda: None)


def test_nothing_is_computed_from_all_plays(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """To answer, only the plays of the user are read."""

    def refuse(*_: object) -> None:
        raise AssertionError("all plays were read")

    version, target = prepared(folder, "fans", "blend")
    answerer = RecommendAnswerer.open(version, target, SkipAnswerer)
    monkeypatch.setattr(History, "_matrix", refuse)
    monkeypatch.setattr(History, "weights", refuse)
    for name in ("track", "full", "liked", "at"):
        plays = getattr(answerer.answers.ranker.history, name)
        monkeypatch.setitem(vars(answerer.answers.ranker.history), name, Slices(plays))
    assert answerer.answer([RecommendRequest(1)])


@dataclass
class Slices:
    """An array of which no more than a slice is read."""

    values: np.ndarray

    def __getitem__(self, own: slice) -> np.ndarray:
        """A slice."""
        assert own != slice(None)
        return self.values[own]


@pytest.mark.parametrize("variant", ["als", "blend", "random"])
def test_nothing_heavy_is_imported(tmp_path: Path, variant: str):
    """Neither to open a version nor to answer."""
    data: Dataset = WORLDS["fans"]
    version = saved_model(tmp_path, fit(history_of(data), run(variant), WEIGHTS)[0])
    requests = [RecommendRequest(1), RecommendRequest(-1, like_artist="Artst 3"), RecommendRequest(2, genres="genre 1")]
    online.prepare(version, data)
    expected = online.open_answerer(Store(version.folder.parents[2]), version)[1].answer(requests)
    answers, modules = in_a_process(version, requests)
    assert answers == as_json(expected)
    assert not modules & FRAMES_AND_TRAINING
