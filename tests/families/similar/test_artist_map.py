"""The map of the artists with the most listeners."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli import plots
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.similar import artist_map

from .conftest import factors

PLACES = st.floats(-300, 300) | st.sampled_from([0.0, 1.0])
BOXES = st.lists(st.tuples(PLACES, PLACES, st.floats(1, 200), st.floats(1, 30)), min_size=1, max_size=30)


def overlapping(centres, boxes) -> list[tuple[int, int]]:
    """Pairs of boxes that share more than a border."""
    near = np.abs(centres[:, None] - centres) < (boxes[:, None] + boxes) / 2 - 1e-6
    return [(one, other) for one, other in zip(*np.nonzero(near.all(axis=2)), strict=True) if one < other]


def circle(artists: int):
    """As many artists, each like the next one."""
    angles = np.linspace(0, 2 * np.pi, artists, endpoint=False)
    return factors(
        *(
            (f"Artist {place}", [np.cos(angle), np.sin(angle)], 1000 - place)
            for place, angle in enumerate(angles.tolist())
        )
    )


@given(drawn=BOXES)
def test_boxes_are_moved_until_none_overlaps(drawn):
    """Also from the very same place."""
    values = np.array(drawn)
    boxes = values[:, 2:]
    assert overlapping(artist_map.separated(values[:, :2], boxes), boxes) == []


def test_boxes_that_do_not_overlap_stay():
    """Touching is no overlap."""
    centres, boxes = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 4.0]]), np.array([[10.0, 4.0]] * 3)
    assert np.array_equal(artist_map.separated(centres, boxes), centres)


@pytest.mark.parametrize(("artists", "shown"), [(3, 3), (15, 15), (60, 50)])
def test_no_name_covers_another(monkeypatch, artists, shown):
    """Those with the most listeners, the first the largest."""
    monkeypatch.setattr(artist_map, "ARTISTS", 50)
    rows = artist_map.panel(circle(artists)).rows
    assert rows["text"].to_list() == [f"Artist {place}" for place in range(shown)]
    assert rows["size"].is_sorted(descending=True)
    boxes = np.array([[size * artist_map.width(text), size] for text, size in rows.select("text", "size").iter_rows()])
    assert overlapping(rows.select("x", "y").to_numpy(), boxes) == []


def test_similar_artists_are_near():
    """Of 60 artists around a circle, each one's two neighbours are among the five nearest of nearly all."""
    places = artist_map.projected(circle(60).factors)
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    nearest = np.argsort(distances, axis=1)[:, 1:6]
    kept = [{(row - 1) % 60, (row + 1) % 60} <= set(near) for row, near in enumerate(nearest)]
    assert np.mean(kept) > 0.9


def test_the_same_model_gives_the_same_map():
    """t-SNE starts from a fixed seed."""
    assert artist_map.panel(circle(30)).rows.equals(artist_map.panel(circle(30)).rows)


def test_a_long_name_is_shortened():
    """A name of a thousand letters would push all others away."""
    panel = artist_map.panel(factors(("x" * 1000, [1, 0], 3), ("b", [0, 1], 2), ("c", [1, 1], 1)))
    assert panel.rows["text"].to_list() == ["x" * 39 + "…", "b", "c"]


@pytest.mark.parametrize(
    "artists", [factors(*((name, [1.0], 5) for name in "abcdef")), circle(2)], ids=["popularity", "two artists"]
)
def test_without_similarities_or_artists_there_is_no_map(artists):
    """Refused, with the next step."""
    with pytest.raises(RefusedError, match="no map") as refused:
        artist_map.panel(artists)
    assert "train similar" in refused.value.hint


def test_artists_that_are_all_alike_have_no_map():
    """t-SNE would end the process."""
    with pytest.raises(RefusedError, match="alike"):
        artist_map.panel(factors(*((f"Artist {place}", [1.0, 2.0], 60 - place) for place in range(60))))


def test_names_are_drawn_at_their_places_and_sizes(tmp_path):
    """In pixels, upwards, without axes or a legend."""
    panel = artist_map.panel(circle(12))
    plots.draw([panel], tmp_path / "map.svg", "A map")
    picture = ElementTree.fromstring((tmp_path / "map.svg").read_text(encoding="utf-8"))
    words = [one for one in picture.iter() if one.tag.endswith("text") and (one.text or "").startswith("Artist")]
    assert len(words) == 12
    assert sum(one.tag.endswith("text") for one in picture.iter()) == 13
    sizes = [float(word.get("font-size").removesuffix("px")) for word in words]
    assert sizes == pytest.approx(panel.rows["size"].to_list(), abs=0.01)
    across, down = np.array(
        [[float(value) for value in word.get("transform")[10:].split(")")[0].split(",")] for word in words]
    ).T
    assert np.ptp(across) == pytest.approx(np.ptp(panel.rows["x"].to_numpy()), abs=0.01)
    assert np.argsort(down).tolist() == np.argsort(-panel.rows["y"].to_numpy()).tolist()
