"""Single requests, answered without frames."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from pozytywka_cli.artifacts import Origin, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.similar import FAMILY
from pozytywka_cli.families.similar.predict import SimilarPredictor, SimilarRequest

from ..answering import FRAMES_AND_TRAINING, answerer, as_json, in_a_process, predicted
from .conftest import run

ARTISTS = [f"{community}{artist:02}" for community in "ab" for artist in range(30)]
QUERIES = st.sampled_from([*ARTISTS, *(f"ARTIST {one}" for one in ARTISTS), "Atrist b07", "artist a0"]) | st.text()
REQUESTS = st.builds(SimilarRequest, QUERIES, st.booleans(), st.integers(1, 70))


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory, communities: Dataset) -> dict[str, Version]:
    """A version of every variant."""
    store, found = Store(tmp_path_factory.mktemp("artifacts")), {}
    for variant in FAMILY.variants:
        name = store.save(
            Origin("similar", variant, {}, 0, "cpu", None, []), FAMILY.train(communities, run(variant)).model
        )
        found[variant] = store.load("similar", name.name)
    return found


@pytest.mark.parametrize("variant", FAMILY.variants)
def test_answers_are_those_of_the_predictor(variant: str, versions: dict[str, Version], communities: Dataset):
    """To the last bit: by name and by id, misspelt and unknown."""
    predictor, opened = SimilarPredictor.open(versions[variant]), answerer(versions[variant], communities)

    @settings(deadline=None, max_examples=50)
    @given(st.lists(REQUESTS, max_size=4))
    def same(requests: list[SimilarRequest]) -> None:
        answers = opened.answer(requests)
        frames = [pl.DataFrame([structs.asdict(request)]) for request in requests]
        assert as_json(answers) == [predicted(predictor.predict(frame)) for frame in frames]

    same()


def test_nothing_heavy_is_imported(versions: dict[str, Version], communities: Dataset):
    """Neither to open a version nor to answer, also with a typo."""
    version, requests = versions[FAMILY.default], [SimilarRequest("Artist a03"), SimilarRequest("Atrist b07")]
    expected = answerer(version, communities).answer(requests)
    answers, modules = in_a_process(version, requests)
    assert answers == as_json(expected)
    assert not modules & (FRAMES_AND_TRAINING | {"scipy"})
