"""The predictor: requests as frames."""

import msgspec
import polars as pl
import pytest

from pozytywka_cli.families.similar import FAMILY
from pozytywka_cli.families.similar.predict import SimilarPredictor

from .conftest import factors


@pytest.fixture
def predictor(save) -> SimilarPredictor:
    """Four artists, each a little further from the first."""
    version = save(factors(("Air", [4, 0], 9), ("Björk", [4, 1], 8), ("Can", [4, 2], 7), ("Dio", [4, 3], 6)))
    return FAMILY.open(version, None)


def test_a_request_has_a_row_for_each_similar_artist(predictor):
    """In the order of requests, best first; optional fields are null or missing."""
    requests = pl.DataFrame({"artist": ["bjork", "2"], "by_id": [None, True], "count": [2, None]})
    answers = predictor.predict(requests)
    assert answers.select("query", "matched", "name", "id", "problem").rows() == [
        ("bjork", "Björk", "Can", "2", None),
        ("bjork", "Björk", "Air", "0", None),
        ("2", "Can", "Dio", "3", None),
        ("2", "Can", "Björk", "1", None),
        ("2", "Can", "Air", "0", None),
    ]
    assert answers["score"].dtype == pl.Float32
    assert predictor.predict(pl.DataFrame({"artist": ["bjork"]})).height == 3


def test_an_unknown_artist_does_not_keep_the_others_from_being_answered(predictor):
    """Its row names the problem, and everything but the query is null."""
    answers = predictor.predict(pl.DataFrame({"artist": ["qqqqqqqqq", "air"], "count": 1}))
    assert answers["query"].to_list() == ["qqqqqqqqq", "air"]
    assert answers.row(0)[1:5] == (None,) * 4
    assert "qqqqqqqqq" in answers["problem"][0]
    assert answers["problem"][1] is None


def test_answers_are_those_of_the_lookup(predictor):
    """Of `pozytywka similar`, to the last bit."""
    expected = [neighbour.score for neighbour in predictor.neighbours([predictor.find("air")], 3)]
    assert predictor.predict(pl.DataFrame({"artist": ["air"]}))["score"].to_list() == expected


def test_requests_are_typed(predictor):
    """A name is required; there are no default requests."""
    assert [field.name for field in msgspec.structs.fields(predictor.Request) if field.required] == ["artist"]
    assert set(predictor.default_requests().columns) == {"artist", "by_id", "count"}
    assert predictor.predict(predictor.default_requests()).is_empty()
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"artist": "air", "count": 0}, predictor.Request)
