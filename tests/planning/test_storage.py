"""The table of storage: costs by class, and what is missing or bad."""

import json
from pathlib import Path

import pytest

from pozytywka_cli.errors import RefusedError, StorageError
from pozytywka_cli.planning.storage import load_storage
from tests.planning.cache_worlds import dataset_of, plays_of, storage_of

TRACKS = storage_of([100_000, 200_000, 300_000, 400_000])
GOOD = [
    {"track_id": "t000", "storage_class": "fast", "daily_cost": 0.4},
    {"track_id": "t001", "storage_class": "FAST", "daily_cost": 0.4},
    {"track_id": "t002", "storage_class": "Slow", "daily_cost": 0.3},
    {"track_id": "t003", "storage_class": "slow", "daily_cost": 0.8},
]


def load(folder: Path, rows: list[dict], messages: list[str] | None = None):
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "track_storage.jsonl").write_text(text, encoding="utf-8")
    inform = ([] if messages is None else messages).append
    return load_storage(folder, dataset_of(TRACKS, plays_of(TRACKS, 2, 5)), inform)


def test_a_class_costs_the_median_of_a_millisecond(tmp_path):
    """In any case of the words; a track's own cost is kept for its own class."""
    storage = load(tmp_path, GOOD)
    assert storage.rates == pytest.approx({"FAST": 3e-6, "SLOW": 1.5e-6})
    assert storage.costs("FAST") == pytest.approx([0.4, 0.4, 0.9, 1.2])
    assert storage.costs("SLOW") == pytest.approx([0.15, 0.3, 0.3, 0.8])
    assert storage.are_in("FAST").tolist() == [True, True, False, False]
    assert not storage.are_in("MEDIUM").any()


def test_what_is_left_out_is_counted(tmp_path):
    """Bad lines, of unknown classes too, unknown tracks, and tracks without a class."""
    messages: list[str] = []
    bad = [{**GOOD[2], "storage_class": "TURBO"}, {**GOOD[3], "daily_cost": -1}]
    storage = load(tmp_path, [*GOOD[:2], *bad, {**GOOD[0], "track_id": "nobodys"}], messages)
    assert storage.tracks["storage_class"].to_list() == ["FAST", "FAST", None, None]
    assert storage.rates.keys() == {"FAST"}
    assert [message.split()[:2] for message in messages] == [["Ignoring", "2"], ["Ignoring", "1"], ["2", "of"]]


def test_a_track_without_a_cost_is_estimated(tmp_path):
    """From the others of its class."""
    storage = load(tmp_path, [GOOD[0], {"track_id": "t001", "storage_class": "FAST"}, *GOOD[2:]])
    assert storage.costs("FAST")[1] == pytest.approx(0.8)
    assert storage.are_in("FAST")[1]


def test_a_missing_table_is_refused_with_a_hint(tmp_path):
    """And so is one that is empty or says nothing about any track."""
    dataset = dataset_of(TRACKS, plays_of(TRACKS, 2, 5))
    with pytest.raises(RefusedError, match="no table track_storage") as caught:
        load_storage(tmp_path, dataset, print)
    assert "pozytywka schema" in caught.value.hint
    with pytest.raises(RefusedError, match="track"):
        load(tmp_path, [])
    with pytest.raises(RefusedError, match="no track has a storage class"):
        load(tmp_path, [{**GOOD[0], "track_id": "nobodys"}])
    with pytest.raises(StorageError):
        load_storage(tmp_path / "nowhere", dataset, print)
