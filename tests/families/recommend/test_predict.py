"""The predictor."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pozytywka_cli.catalogue.string_table import take
from pozytywka_cli.errors import ArtifactError, RefusedError, UsageError
from pozytywka_cli.families.recommend.answers import Answers
from pozytywka_cli.families.recommend.models.lists import Wish
from pozytywka_cli.families.recommend.predict import SCHEMA, RecommendPredictor
from pozytywka_cli.families.recommend.requests import RecommendRequest

from .trained import VARIANTS, Skips, by_name, model, opened, saved_model
from .worlds import FULL, SKIPPED, dataset, fans, history_of, noise

UNKNOWN = -7


@pytest.fixture(scope="module")
def predictors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RecommendPredictor]:
    """Every variant, fitted to a log of users with favourite artists, with a skip model."""
    folder = tmp_path_factory.mktemp("versions")
    return {variant: opened(folder, fans(), variant, Skips(by_name)) for variant in VARIANTS}


@pytest.fixture(scope="module")
def predictor(predictors: dict[str, RecommendPredictor]) -> RecommendPredictor:
    """The blend."""
    return predictors["blend"]


def asked(predictor: RecommendPredictor, *requests: dict[str, object]) -> pl.DataFrame:
    """The answer to requests, rows of a frame with all of their columns."""
    fields = [field.name for field in msgspec.structs.fields(RecommendRequest)]
    named = [name for name in fields if any(name in one for one in requests)]
    return predictor.predict(pl.DataFrame([{name: one.get(name) for name in named} for one in requests]))


def artists(answer: pl.DataFrame) -> list[str]:
    """The artists of the tracks in an answer, by the beginning of their ids."""
    return answer["track_id"].str.slice(0, 2).to_list()


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_answer_has_a_row_for_each_track(predictors: dict[str, RecommendPredictor], variant: str):
    """Twenty by default, ranked, with names, scores, reasons and the variant."""
    found = asked(predictors[variant], {"user_id": 3}, {"user_id": 1})
    assert dict(found.schema) == SCHEMA
    assert found["user_id"].to_list() == [3] * 20 + [1] * 20
    assert found["rank"].to_list() == [*range(1, 21)] * 2
    assert found["track"].to_list() == [f"Track {one}" for one in found["track_id"]]
    assert found["artist"].to_list() == [f"Artist {int(one)}" for one in artists(found)]
    assert found["score"].is_finite().all()
    assert found["because"].struct.field("kind").is_not_null().all()
    assert set(found["variant"]) == {variant}
    assert found["problem"].is_null().all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_default_requests_are_all_users(predictors: dict[str, RecommendPredictor], variant: str):
    """None of them has a problem; nobody is offered what was heard, and nothing twice."""
    predictor = predictors[variant]
    found = predictor.predict(predictor.default_requests())
    assert found["user_id"].unique(maintain_order=True).to_list() == list(range(24))
    assert found["problem"].is_null().all()
    assert not found.select("user_id", "track_id").is_duplicated().any()
    heard = fans().plays.select("user_id", "track_id")
    assert len(found.join(heard, on=["user_id", "track_id"], how="semi")) == 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_unknown_user_has_one_row_with_a_problem(predictors: dict[str, RecommendPredictor], variant: str):
    """Alone, and among others, whose order is kept."""
    alone = asked(predictors[variant], {"user_id": UNKNOWN})
    assert alone["problem"].item().startswith(f"user {UNKNOWN} is unknown")
    empty = alone.drop("user_id", "variant", "problem", "because").row(0)
    assert empty == (None,) * len(empty)
    assert alone["because"].struct.field("kind").is_null().all()
    mixed = asked(predictors[variant], {"user_id": 3}, {"user_id": UNKNOWN}, {"user_id": 1})
    assert mixed["user_id"].unique(maintain_order=True).to_list() == [3, UNKNOWN, 1]
    assert len(mixed) == 41


def test_no_requests_have_no_answer(predictor: RecommendPredictor):
    """With all columns."""
    found = predictor.predict(pl.DataFrame(schema={"user_id": pl.Int64}))
    assert (len(found), dict(found.schema)) == (0, SCHEMA)


def test_null_is_the_default(predictor: RecommendPredictor):
    """In every optional column, whatever its type; and so is a column that is missing."""
    plain = asked(predictor, {"user_id": 3})
    nulls = {field.name: None for field in msgspec.structs.fields(RecommendRequest) if not field.required}
    assert_frame_equal(predictor.predict(pl.DataFrame({"user_id": [3]} | {name: [None] for name in nulls})), plain)


@pytest.mark.parametrize("variant", VARIANTS)
def test_more_than_there_is_gives_all_there_is(predictors: dict[str, RecommendPredictor], variant: str):
    """Once each; the tracks that the user has not heard, or all of them."""
    tracks = fans().plays["track_id"].unique()
    heard = fans().plays.filter(user_id=3)["track_id"].unique()
    found = asked(
        predictors[variant],
        {"user_id": 3, "count": 10_000},
        {"user_id": 3, "count": 10_000, "allow_heard": True},
    )
    new, every = (found[: len(tracks) - len(heard)], found[len(tracks) - len(heard) :])
    if variant == "autoencoder":  # which offers tracks that nobody has played, too
        assert set(tracks) <= set(found["track_id"])
        return
    assert set(new["track_id"]) == set(tracks) - set(heard)
    assert sorted(every["track_id"]) == sorted(tracks)


def test_favourite_genres_replace_the_own_ones(tmp_path: Path):
    """For a known user, and for an unknown one, who then is answered; in any case, with spaces."""
    predictor = opened(tmp_path, noise())
    found = asked(predictor, *({"user_id": user, "genres": "Genre 2 ,polka"} for user in (1, UNKNOWN)))
    known, unknown = found.filter(user_id=1), found.filter(user_id=UNKNOWN)
    plain = asked(predictor, {"user_id": 1})

    def share(answer: pl.DataFrame) -> float:
        return np.mean([int(one) % 4 == 2 for one in artists(answer)])

    assert found["problem"].is_null().all()
    assert share(known) > share(plain)
    assert share(unknown) > 0.5


def test_what_is_like_a_track_is_of_its_artist_or_of_those_who_play_it(predictor: RecommendPredictor):
    """The track itself is not in the list, though it may be allowed and the user is unknown."""
    found = asked(
        predictor, {"user_id": UNKNOWN, "like_track": "05-03", "allow_heard": True, "diversity": 0.0, "tail": 0}
    )
    assert "05-03" not in found["track_id"].to_list()
    assert artists(found).count("05") >= 15


def test_an_artist_is_named_in_any_spelling(predictor: RecommendPredictor):
    """Case, accents and punctuation do not matter; its tracks themselves may be in the list."""
    requests = (
        {"user_id": UNKNOWN, "like_artist": name, "diversity": 0.0, "tail": 0} for name in ("Artist 5", "ÁRTIST 5!")
    )
    one, other = (asked(predictor, request) for request in requests)
    assert_frame_equal(one, other)
    assert artists(one).count("05") >= 15


def test_a_known_users_own_plays_count_beside_what_is_asked_for(predictor: RecommendPredictor):
    """Half of the list or so is of the artist that was asked for, which is not the user's."""
    found = asked(predictor, {"user_id": 3, "like_artist": "Artist 5", "diversity": 0.0, "tail": 0})
    counts = {name: artists(found).count(name) for name in ("03", "05")}
    plain = asked(predictor, {"user_id": 3, "diversity": 0.0, "tail": 0})
    assert counts["05"] > artists(plain).count("05")


@pytest.mark.parametrize(
    ("field", "value"), [("like_track", "t99"), ("like_artist", "Nobody"), ("genres", "polka"), ("genres", "")]
)
def test_what_does_not_exist_is_a_problem(predictor: RecommendPredictor, field: str, value: str):
    """Which names it; for a known user as for another."""
    found = asked(predictor, *({"user_id": user, field: value} for user in (3, UNKNOWN)))
    assert len(found) == 2
    assert all(f'"{value}"' in problem for problem in found["problem"])


def test_names_of_artists_may_be_missing(tmp_path: Path):
    """Those artists cannot be named; several of one name are all meant."""
    named = [("a", "Twin", ["rock"]), ("b", "twin!", ["pop"]), ("c", None, None)]
    plays = [(user, f"t{number}", number, FULL) for user in range(3) for number in range(6)]
    predictor = opened(tmp_path, dataset(plays, artists=named), "als")
    found = asked(predictor, {"user_id": UNKNOWN, "like_artist": "TWIN"}, {"user_id": UNKNOWN, "like_artist": "None"})
    assert found["problem"].is_null().to_list() == [True] * 6 + [False]
    profile = Answers(predictor.ranker, "als").profile(RecommendRequest(UNKNOWN, like_artist="twin"))
    assert profile.tracks.tolist() == [0, 1, 2, 3]


def test_the_wish_of_a_request():
    """One in five of the tail by default; heard tracks are left out unless they are allowed."""
    assert RecommendRequest(1).wish == Wish(20, new=True, diversity=0.2, tail=4)
    assert RecommendRequest(1, count=9, allow_heard=True, diversity=0.0).wish == Wish(9, False, 0.0, 1)
    assert RecommendRequest(1, tail=7).wish.tail == 7
    assert RecommendRequest(1, tail=0).wish.tail == 0


REQUESTS = st.lists(
    st.fixed_dictionaries(
        {"user_id": st.integers(-1, 25)},
        optional={
            "count": st.integers(1, 30),
            "allow_heard": st.booleans(),
            "diversity": st.sampled_from([0.0, 0.3, 1.0]),
            "tail": st.integers(0, 30),
            "like_track": st.sampled_from(["03-01", "07-12", "nothing"]),
            "like_artist": st.sampled_from(["Artist 3", "artist 11", "nobody"]),
            "genres": st.sampled_from(["genre 1", "genre 2,genre 3", "polka"]),
        },
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=60)
@given(requests=REQUESTS, variant=st.sampled_from(VARIANTS))
def test_promises_hold_for_all_requests(predictors, requests, variant):
    """Each is answered alone as with others; no track twice, none that was heard or asked for."""
    predictor = predictors[variant]
    together = asked(predictor, *requests)
    parts = [asked(predictor, one) for one in requests]
    assert_frame_equal(together, pl.concat(parts), check_exact=True)
    for request, found in zip(requests, parts, strict=True):
        if found["problem"].is_not_null().any():
            assert len(found) == 1
            continue
        tracks = found["track_id"].to_list()
        assert len(set(tracks)) == len(tracks) <= request.get("count", 20)
        assert request.get("like_track") not in tracks
        if not request.get("allow_heard"):
            assert not set(tracks) & set(fans().plays.filter(user_id=request["user_id"])["track_id"])


def test_plays_that_are_newer_than_the_model_count(tmp_path: Path):
    """What a user heard since is not recommended, and a new user is known."""
    plays = [(user, f"t{number}", number, FULL) for user in range(3) for number in range(user + 2)]
    old, new = dataset(plays), dataset([*plays, (0, "t2", 9, SKIPPED), (9, "t0", 9, FULL)])
    version = saved_model(tmp_path, model("als", history_of(old)))
    before, after = (RecommendPredictor.open(version, data) for data in (old, new))
    assert set(asked(before, {"user_id": 0})["track_id"]) == {"t2", "t3"}
    assert set(asked(after, {"user_id": 0})["track_id"]) == {"t3"}
    assert asked(before, {"user_id": 9})["problem"].is_not_null().all()
    assert set(asked(after, {"user_id": 9})["track_id"]) == {"t1", "t2", "t3"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_saved_model_answers_like_the_fitted_one(tmp_path: Path, variant: str):
    """To the last bit."""
    known = history_of(fans())
    fitted = model(variant, known)
    loaded = RecommendPredictor.open(saved_model(tmp_path, fitted), fans())
    (expected,) = fitted.ranker(known, lambda: None).lists([known.profile(2)], [Wish(20, diversity=0.2, tail=4)])
    found = asked(loaded, {"user_id": 2})
    assert found["track_id"].to_list() == take(known.tracks.ids, expected.tracks)
    assert found["score"].to_numpy().tobytes() == expected.scores.tobytes()


def test_only_variants_that_ask_for_it_open_the_skip_model(tmp_path: Path):
    """Opening takes time."""
    seen = []
    for variant in VARIANTS:
        version = saved_model(tmp_path, model(variant, history_of(noise())))
        RecommendPredictor.open(version, noise(), lambda one=variant: seen.append(one))
    assert sorted(seen) == ["blend", "preference"]


def test_without_data_there_is_no_answer(tmp_path: Path):
    """Plays are needed."""
    version = saved_model(tmp_path, model("popular", history_of(noise())))
    with pytest.raises(UsageError, match="no data"):
        RecommendPredictor.open(version, None)


def test_requests_without_users_are_refused(predictor: RecommendPredictor):
    """The column is named."""
    with pytest.raises(RefusedError, match="user_id"):
        predictor.predict(pl.DataFrame({"count": [3]}))


@pytest.mark.parametrize("variant", ["als", "popular"])
def test_weights_of_the_blend_in_another_variant_are_damage(tmp_path: Path, variant: str):
    """They would make it another model."""
    known = history_of(noise())
    made = model(variant, known)
    weights = model("blend", known).parameters
    changed = msgspec.structs.replace(made.parameters, new=weights.new, all=weights.all)
    with pytest.raises(ArtifactError):
        RecommendPredictor.open(saved_model(tmp_path, replace(made, parameters=changed)), noise())


def test_a_misspelt_artist_is_told_the_nearest_names(tmp_path: Path):
    """But none of an artist without a name, whom no empty name finds either."""
    named = [("a", "Rosetta", ["rock"]), ("b", "Mogwai", ["pop"]), ("c", None, None)]
    plays = [(user, f"t{number}", number, FULL) for user in range(3) for number in range(6)]
    predictor = opened(tmp_path, dataset(plays, artists=named), "als")
    for name in ("Rosseta", "…"):
        (problem,) = asked(predictor, {"user_id": 0, "like_artist": name})["problem"]
        assert ("Rosetta" in problem) == (name == "Rosseta")
        assert '""' not in problem
