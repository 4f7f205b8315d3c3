"""What holds for every variant of every family."""

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.splits import time_cut
from pozytywka_cli.families.registry import registry

from .conftest import QUESTIONS, UNSEEN, VARIANTS, trained


@pytest.fixture(scope="module", params=VARIANTS, ids="-".join)
def asked(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A family and a variant."""
    found: tuple[str, str] = request.param
    return found


@pytest.fixture(scope="module")
def case(asked: tuple[str, str], dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Version:
    """A trained, saved and loaded version; of another variant where that stands in for the one asked for."""
    return trained(tmp_path_factory.mktemp("first"), dataset, *asked)


def test_the_same_seed_gives_the_same_bytes(case: Version, asked: tuple[str, str], dataset: Dataset, tmp_path: Path):
    """Train, save, load and predict, twice: every model file and every prediction is bit-identical.

    A .skops file is a zip with the time of its making; what it holds is compared by the predictions.
    """
    manifest = case.manifest
    again = trained(tmp_path, dataset, *asked)
    for name in manifest.files.keys() - {"forest.skops"}:
        assert again.manifest.files[name] == manifest.files[name], name
    ask = QUESTIONS[manifest.family].everything
    assert_frame_equal(ask(again, dataset), ask(case, dataset), check_exact=True)


def test_a_batch_equals_one_by_one(case: Version, dataset: Dataset):
    """What else is asked in the same call changes no answer, not in the last bit.

    But a verdict of weekly, which bounds the false ones among all artists together.
    """
    questions = QUESTIONS[case.manifest.family]
    batch = questions.everything(case, dataset)
    alone = questions.one_by_one(case, dataset, batch)
    batch, alone = (frame.drop("verdict", strict=False) for frame in (batch, alone))
    assert len(alone) > 0
    keys = [name for name in batch.columns if name in ("user_id", "track_id", "artist_id", "asked", "id")]
    matched = batch.join(alone.select(keys), on=keys, how="semi", maintain_order="left")
    assert_frame_equal(alone.sort(keys), matched.sort(keys), check_exact=True)


def test_what_was_never_seen_gets_the_documented_fallback(case: Version, dataset: Dataset):
    """Unknown users and tracks are said to be unknown, a new artist is forecast, an unknown name exits 3."""
    assert QUESTIONS[case.manifest.family].unseen(case, dataset) == UNSEEN[case.manifest.family]


def test_the_manifest_says_what_the_version_was_made_from(case: Version, dataset: Dataset):
    """Inputs with their hashes, settings, seed, device, signature and figures beside the baseline's."""
    manifest = case.manifest
    assert manifest.inputs == dataset.inputs
    assert (manifest.seed, manifest.device, manifest.format) == (0, "cpu", 1)
    assert set(manifest.signature) == {"inputs", "outputs"}
    baseline = import_module(f"pozytywka_cli.{manifest.family}").BASELINE
    assert {baseline, manifest.variant} <= {row.variant for row in manifest.metrics}
    assert {"card.md", "metrics.json"} < set(manifest.files)


def test_the_card_leaves_nothing_unsaid(case: Version):
    """Every section is there, and every metric and variant of its tables is explained."""
    card = (case.folder / "card.md").read_text(encoding="utf-8")
    sections = re.findall("^## (.*)$", card, re.MULTILINE)
    assert sections == [
        "Made from",
        "How it was tested",
        "Figures",
        "Decision",
        "Use it for",
        "Do not use it for",
        "Limits",
    ]
    explained = re.findall("^- (.*?): .*", card.split("## Figures")[1], re.MULTILINE)
    rows = case.manifest.metrics
    assert explained == [*dict.fromkeys(row.variant for row in rows), *dict.fromkeys(row.metric for row in rows)]


@pytest.mark.parametrize("family", registry.FAMILIES)
def test_a_variant_that_serves_is_listed_first_and_its_baseline_is_a_variant(family: str):
    """The names that `train --variant` takes."""
    room = import_module(f"pozytywka_cli.{family}")
    assert room.BASELINE in room.VARIANTS
    assert room.VARIANTS[0] != room.BASELINE


@pytest.mark.parametrize("family", registry.FAMILIES)
def test_what_came_later_changes_nothing_that_was_learned(family: str, dataset: Dataset, tmp_path: Path):
    """The prefix test: trained until a moment, on a log or on one whose later plays were other ones: the same bytes."""
    moment = time_cut(dataset.plays, 0.75)
    later = pl.col("started_at") >= moment
    altered = dataset.plays.with_columns(
        skipped=pl.when(later).then(~pl.col("skipped")).otherwise("skipped"),
        track_id=pl.when(later).then(pl.col("track_id").reverse()).otherwise("track_id"),
    )
    variant = registry.variants(family)[0]
    known = trained(tmp_path / "known", dataset.until(moment), family, variant)
    other = trained(tmp_path / "other", replace(dataset, plays=altered).until(moment), family, variant)
    assert known.manifest.files == other.manifest.files
