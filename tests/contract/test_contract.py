"""What holds for every variant of every family."""

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_cli.artifacts import Store, Version, prepared
from pozytywka_cli.artifacts.fingerprint import source_digest
from pozytywka_cli.commands.outputs import with_text_times
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.splits import time_cut
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families import registry
from pozytywka_cli.families.capabilities import GroundTruth, Online, Tunable
from pozytywka_cli.families.family import Family
from pozytywka_cli.pipeline import online

from .conftest import FAMILIES, UNSEEN, VARIANTS, requests_for, trained, with_late_artist
from .wrong_content import ANY, READ_BY_NOBODY, altered, wrong_contents

STEP = 37  # every so many requests are also answered alone


@pytest.fixture(scope="module", params=VARIANTS, ids="-".join)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A family and a variant."""
    names: tuple[str, str] = request.param
    return names


@pytest.fixture(scope="module")
def version(case: tuple[str, str], dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Version:
    """A trained, saved and loaded version; of another variant where that is the fallback for the wanted one."""
    return trained(tmp_path_factory.mktemp("first"), dataset, *case)


def test_the_same_seed_gives_the_same_bytes(version: Version, case: tuple[str, str], dataset: Dataset, tmp_path: Path):
    """Train, save, load and predict, twice: every model file and every prediction is bit-identical.

    A .skops file is a zip with the time of its making; its content is compared by the predictions.
    """
    family, again = FAMILIES[case[0]], trained(tmp_path, dataset, *case)
    for name in version.manifest.files.keys() - {"forest.skops"}:
        assert again.manifest.files[name] == version.manifest.files[name], name
    first, second = (family.open(one, dataset) for one in (version, again))
    requests = requests_for(first, dataset)
    assert_frame_equal(second.predict(requests), first.predict(requests), check_exact=True)


def test_a_batch_equals_one_by_one(version: Version, case: tuple[str, str], dataset: Dataset):
    """Other requests in the same call change no answer, not in the last bit; and a predictor answers any number."""
    predictor = FAMILIES[case[0]].open(version, dataset)
    requests = requests_for(predictor, dataset)[::STEP]
    batch = predictor.predict(requests)
    alone = pl.concat([predictor.predict(requests[row : row + 1]) for row in range(len(requests))])
    assert len(alone) > 0
    assert_frame_equal(alone, batch, check_exact=True)


def test_a_request_has_every_column_that_default_requests_have(version: Version, case: tuple[str, str], dataset):
    """Requests are rows of the predictor's Request, whose fields without a default are required."""
    predictor = FAMILIES[case[0]].open(version, dataset)
    fields = {field.name: field.required for field in msgspec.structs.fields(predictor.Request)}
    columns = set(requests_for(predictor, dataset).columns)
    assert columns <= set(fields)
    assert {name for name, required in fields.items() if required} <= columns


def test_what_was_never_seen_gets_the_documented_fallback(version: Version, case: tuple[str, str], dataset: Dataset):
    """Unknown users, tracks and artists are reported as unknown, and a new artist is forecast."""
    if case[0] not in UNSEEN:
        pytest.skip(f"{case[0]} documents no fallback")
    ask, answer = UNSEEN[case[0]]
    later = with_late_artist(dataset)
    assert ask(FAMILIES[case[0]].open(version, later), later) == answer


def test_wrong_content_with_the_right_hashes_is_damage(
    version: Version, case: tuple[str, str], dataset: Dataset, tmp_path: Path
):
    """Every file of a version with anything else in it, and a manifest that fits: the version is named."""
    family = FAMILIES[case[0]]
    requests = requests_for(family.open(version, dataset), dataset)[:1]
    for name in version.manifest.files.keys() - READ_BY_NOBODY:
        for content in wrong_contents(version.folder / name):
            wrong = altered(version, tmp_path, {name: content})
            with pytest.raises(ArtifactError) as refused:
                family.open(wrong, dataset).predict(requests)
            assert version.name in refused.value.message, (name, content[:40])


def test_online_answers_are_those_of_the_predictor(version: Version, case: tuple[str, str], dataset: Dataset):
    """To the last bit, asked together and alone; every column, as JSON has it."""
    family, store = FAMILIES[case[0]], Store(version.folder.parents[2])
    if not (isinstance(family, Online) and online.can_prepare(version)):
        pytest.skip(f"{case[0]} {case[1]} answers with the data only")
    predictor = family.open(version, dataset)
    requests = requests_for(predictor, dataset)[::STEP]
    expected = as_json(predictor.predict(requests))
    online.prepare(version, dataset)
    _, answerer = online.open_answerer(store, version)
    asked = [msgspec.convert(row, answerer.Request) for row in requests.to_dicts()]
    together = msgspec.json.decode(msgspec.json.encode(answerer.answer(asked)))
    alone = [msgspec.json.decode(msgspec.json.encode(answerer.answer([one])))[0] for one in asked]
    assert len(expected) > 0
    assert [row for rows in together for row in rows] == expected
    assert alone == together
    assert answerer.answer([]) == []


def test_damaged_prepared_files_are_errors_of_artifacts(version: Version, case: tuple[str, str], dataset: Dataset):
    """Files that are cut short or missing; and anything else in place of one, with hashes that fit."""
    family, store = FAMILIES[case[0]], Store(version.folder.parents[2])
    if not (isinstance(family, Online) and online.can_prepare(version)):
        pytest.skip(f"{case[0]} {case[1]} answers with the data only")
    predictor = family.open(version, dataset)
    requests = requests_for(predictor, dataset)[:1].to_dicts()
    online.prepare(version, dataset)
    contents = {path.name: path.read_bytes() for path in version.prepared.iterdir() if path.name != prepared.FILE}
    code = source_digest(registry.MODULES[case[0]])
    for name in contents:
        for cut in (contents[name][:-1], None):
            online.prepare(version, dataset)
            (version.prepared / name).unlink() if cut is None else (version.prepared / name).write_bytes(cut)
            with pytest.raises(ArtifactError, match=re.escape(name)):
                online.open_answerer(store, version)
        online.prepare(version, dataset)
        for wrong in ANY:
            content = contents | {name: wrong}
            prepared.write(version, code, [], lambda folder, content=content: written(folder, content))
            with pytest.raises(ArtifactError):
                opened_and_asked(store, version, requests)


def opened_and_asked(store: Store, version: Version, requests: list[dict[str, object]]) -> None:
    """Open a prepared version, and ask it."""
    _, answerer = online.open_answerer(store, version)
    answerer.answer([msgspec.convert(row, answerer.Request) for row in requests])


def as_json(frame: pl.DataFrame) -> list[object]:
    """The rows of a frame, as `predict --json` has them."""
    rows: list[object] = msgspec.json.decode(msgspec.json.encode(with_text_times(frame).to_dicts()))
    return rows


def written(folder: Path, content: dict[str, bytes]) -> None:
    """Write files into a folder."""
    for name, text in content.items():
        (folder / name).write_bytes(text)


def test_a_variant_that_the_family_does_not_have_is_damage(
    version: Version, case: tuple[str, str], dataset: Dataset, tmp_path: Path
):
    """In a manifest that is whole otherwise; the variant is named."""
    wrong = altered(version, tmp_path, variant=case[1].title() + "X")
    with pytest.raises(ArtifactError, match=case[1].title()):
        FAMILIES[case[0]].open(wrong, dataset)


def test_the_manifest_describes_the_origin_of_the_version(version: Version, dataset: Dataset):
    """Inputs with their hashes, settings, seed, device, signature and metrics beside the baseline's."""
    manifest = version.manifest
    assert manifest.inputs == dataset.inputs
    assert (manifest.seed, manifest.device) == (0, "cpu")
    assert set(manifest.signature) == {"inputs", "outputs"}
    assert {FAMILIES[manifest.family].baseline, manifest.variant} <= {row.variant for row in manifest.metrics}
    assert {"card.md", "metrics.json"} < set(manifest.files)


def test_every_metric_of_a_version_is_declared_and_the_gate_tests_the_headline_metric(version: Version):
    """Tables can name and order all of them."""
    family = FAMILIES[version.manifest.family]
    assert {row.metric for row in version.manifest.metrics} <= set(family.metrics)
    if version.manifest.gate:
        assert version.manifest.gate.metric == next(iter(family.metrics))


def test_the_card_is_complete(version: Version):
    """Every section is there, and every metric and variant of its tables is explained."""
    card = (version.folder / "card.md").read_text(encoding="utf-8")
    assert len(re.findall("^## (.*)$", card, re.MULTILINE)) == 7
    rows, explained = version.manifest.metrics, card.split("## ")
    glossary = "".join(explained)
    family = FAMILIES[version.manifest.family]
    for name in {row.variant for row in rows}:
        assert family.variants[name].description in glossary
    for name in {row.metric for row in rows}:
        assert family.metrics[name].meaning in glossary


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_family_declares_what_commands_derive_from_it(family: Family):
    """Default and baseline are variants, every setting has a description, and tuning spaces name settings."""
    assert {family.default, family.baseline} <= set(family.variants)
    assert family.default != family.baseline
    assert family.variants[family.baseline].baseline
    assert set(family.rivals) <= set(family.variants) - {family.default, family.baseline}
    assert all(family.variants[rival].extra is None for rival in family.rivals)
    assert family.question.endswith("?")
    settings = family.Settings()
    for field in msgspec.json.schema(family.Settings)["$defs"][family.Settings.__name__]["properties"].values():
        assert field["description"]
    for variant in family.variants.values():
        assert variant.description
        for name, dimension in variant.space.items():
            msgspec.convert(msgspec.to_builtins(settings) | {name: dimension.at(0.5)}, family.Settings)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_capabilities_are_typed(family: Family):
    """A family that can be tuned names the metric, and every family here can be measured against a known truth."""
    if isinstance(family, Tunable):
        assert family.tuning_metric in family.metrics
    assert isinstance(family, GroundTruth) or family.name == "toy"


@pytest.mark.parametrize("name", FAMILIES)
def test_later_events_change_nothing_that_was_learned(name: str, dataset: Dataset, tmp_path: Path):
    """The prefix test: trained until a moment, on the log or on one with other plays after it: the same bytes."""
    moment = time_cut(dataset.plays, 0.75)
    later = pl.col("started_at") >= moment
    altered = dataset.plays.with_columns(
        skipped=pl.when(later).then(~pl.col("skipped")).otherwise("skipped"),
        track_id=pl.when(later).then(pl.col("track_id").reverse()).otherwise("track_id"),
    )
    variant = FAMILIES[name].default
    known = trained(tmp_path / "known", dataset.until(moment), name, variant)
    other = trained(tmp_path / "other", replace(dataset, plays=altered).until(moment), name, variant)
    assert known.manifest.files == other.manifest.files
