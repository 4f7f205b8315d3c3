"""Charts of panels made by hand: formats, texts, colours, and what is left when drawing fails."""

import json
import re
import struct
import sys
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from pozytywka_cli import plots
from pozytywka_cli.errors import StorageError, UnavailableError, UsageError
from pozytywka_cli.records import Panel

NAMES = ["[/b]", "<x> & y", "</script><script>alert(1)</script>", "\x1b[31mred", "a: b.c[0]", "Zażółć 日本"]
SHOWN = [*NAMES[:3], "�[31mred", *NAMES[4:]]

LINES = Panel(
    "Two <lines>",
    "line",
    pl.DataFrame({"x.[0]": [0.0, 1.0, 1.0, 0.5], "share (%)": [0.0, 1.0, 0.5, 0.2], "who": ["a", "a", "a", "b"]}),
    "x.[0]",
    "share (%)",
    "who",
    dots=True,
)
BARS = Panel("Names", "bar", pl.DataFrame({"nats": range(6, 0, -1), "name": NAMES}), "nats", "name")
HISTOGRAM = Panel(
    "Times", "histogram", pl.DataFrame({"seconds": [0, 5], "to": [5, 20], "skips": [1, 2]}), "seconds", "skips"
)
PANELS = [LINES, BARS, HISTOGRAM]


def drawn(folder: Path, *panels: Panel) -> ElementTree.Element:
    """The panels as a parsed SVG."""
    path = folder / "drawn.svg"
    plots.draw(list(panels), path, "The \x07 title")
    return ElementTree.fromstring(path.read_text(encoding="utf-8"))


def marks(picture: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    """The drawn marks of a kind: bar, point or line mark."""
    return [element for element in picture.iter() if element.get("aria-roledescription") == kind]


def words(picture: ElementTree.Element) -> list[str]:
    """Every text of a picture."""
    return [element.text or "" for element in picture.iter() if element.tag.endswith("text")]


@pytest.mark.parametrize("name", ["a.gif", "a", "a.PNG", "png"])
def test_an_unknown_format_is_refused(name: str) -> None:
    """Before any work, with a list of the known ones."""
    with pytest.raises(UsageError, match=f"^--plot {name}: ") as caught:
        plots.check(Path(name))
    assert all(suffix in caught.value.hint for suffix in (".png", ".svg", ".pdf", ".html"))


@pytest.mark.parametrize("module", ["altair", "vl_convert"])
def test_a_missing_extra_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only charts need these libraries."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UnavailableError, match=f"^--plot .*{module}") as caught:
        plots.check(Path("a.png"))
    assert caught.value.exit_code == 5
    assert "pip install 'pozytywka[plot]'" in caught.value.hint


@pytest.mark.parametrize("suffix", list(plots.FORMATS))
def test_a_picture_replaces_the_old_one_and_leaves_nothing_else(suffix: str, tmp_path: Path) -> None:
    """In every format, recognized by its first bytes."""
    path = tmp_path / f"a{suffix}"
    path.write_text("old")
    plots.check(path)
    plots.draw(PANELS, path, "title")
    starts = {".png": b"\x89PNG\r\n\x1a\n", ".svg": b"<svg ", ".pdf": b"%PDF-", ".html": b"<!DOCTYPE html>"}
    assert path.read_bytes().startswith(starts[suffix])
    assert list(tmp_path.iterdir()) == [path]


def test_a_png_has_two_pixels_for_one(tmp_path: Path) -> None:
    """Two columns and two rows of panels, and all words beside them, on twice as many pixels as the SVG is wide."""
    plots.draw(PANELS, tmp_path / "a.png", "The \x07 title")
    width, height = struct.unpack(">II", (tmp_path / "a.png").read_bytes()[16:24])
    size = drawn(tmp_path, *PANELS).attrib
    assert (width, height) == (2 * int(size["width"]), 2 * int(size["height"]))
    assert width > 4 * plots.SIZE["width"]
    assert height > 4 * plots.SIZE["height"]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".html"])
def test_the_same_panels_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    """A chart does not depend on the time, the path or chance."""
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        plots.draw(PANELS, path, "title")
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_names_from_data_are_shown_literally(tmp_path: Path) -> None:
    """Markup has no effect, control characters become visible, and brackets in a column's name are no path."""
    found = words(drawn(tmp_path, *PANELS))
    assert {"The � title", "Two <lines>", "x.[0]", "share (%)", "Names", "nats", "Times", "seconds", "skips"} < set(
        found
    )
    assert [word for word in found if word in SHOWN] == SHOWN


class Page(HTMLParser):
    """The elements of a page with what they refer to, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.references: list[str | None] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.references += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self.elements[-1:] == ["script"]:
            self.scripts.append(data)


def test_a_page_needs_no_network_and_runs_no_name(tmp_path: Path) -> None:
    """It refers to nothing else, and the script that holds the names ends where it should."""
    plots.draw(PANELS, tmp_path / "a.html", "title")
    page = Page((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert page.references == []
    assert page.elements.count("script") == 2
    [spec] = re.findall(r"^\s*const spec = (.*);$", "".join(page.scripts), re.MULTILINE)
    texts = [row.get("y") for rows in json.loads(spec)["datasets"].values() for row in rows]
    assert set(SHOWN) <= set(texts)


def test_a_series_has_one_colour_in_every_panel(tmp_path: Path) -> None:
    """Whichever panel it is missing from; what belongs to no series is plain."""
    alone = Panel("b", "bar", pl.DataFrame({"x": [1.0], "y": ["n"], "who": ["b"]}), "x", "y", "who")
    picture = drawn(tmp_path, LINES, alone, HISTOGRAM)
    lines = {mark.get("stroke") for mark in marks(picture, "line mark")}
    assert lines == set(plots.COLOURS[:2])
    assert [mark.get("fill") for mark in marks(picture, "bar")] == [plots.COLOURS[1], plots.PLAIN, plots.PLAIN]
    assert {"a", "b"} <= set(words(picture))


def test_a_line_goes_through_its_rows_in_their_order(tmp_path: Path) -> None:
    """Up at x = 1 and down again: three corners of the 420 pixels, and a dot at each row."""
    picture = drawn(tmp_path, LINES)
    [path] = [mark.get("d", "") for mark in marks(picture, "line mark") if mark.get("stroke") == plots.COLOURS[0]]
    corners = [tuple(map(float, corner.split(","))) for corner in re.findall(r"[\d.]+,[\d.]+", path)]
    assert corners in ([(0, 300), (420, 0), (420, 150)], [(420, 150), (420, 0), (0, 300)])
    assert len(marks(picture, "point")) == 4


@pytest.mark.parametrize("diagonal", [True, False])
def test_a_diagonal_is_dashed(diagonal: bool, tmp_path: Path) -> None:
    """From corner to corner, over axes from 0 to 1 whatever the rows reach."""
    rows = pl.DataFrame({"x": [0.2, 0.4], "y": [0.3, 0.5]})
    picture = drawn(tmp_path, Panel("t", "line", rows, "x", "y", diagonal=diagonal))
    dashed = [mark.get("d") for mark in marks(picture, "line mark") if mark.get("stroke-dasharray")]
    assert dashed == (["M0,300L420,0"] if diagonal else [])
    assert ("0.8" in words(picture)) is diagonal


def test_a_histogram_stands_on_zero_between_its_edges(tmp_path: Path) -> None:
    """The first bar is a quarter as wide as both and half as high as the second."""
    found = [mark.get("d") for mark in marks(drawn(tmp_path, HISTOGRAM), "bar")]
    assert found == ["M0,150h105v150h-105Z", "M105,0h315v300h-315Z"]


@pytest.mark.parametrize(
    ("error", "raised"), [(OSError(28, "No space left on device"), StorageError), (ValueError("no chart"), ValueError)]
)
def test_a_failure_leaves_the_old_picture(
    error: Exception, raised: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing half drawn beside it; a full disk is a StorageError."""
    path = tmp_path / "a.svg"
    path.write_text("old")

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("vl_convert.vegalite_to_svg", fail)
    with pytest.raises(raised):
        plots.draw(PANELS, path, "title")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_band_lies_under_the_lines_where_it_is_known(tmp_path: Path) -> None:
    """Two lines over dates, one of them with an area; both in the colours of their series."""
    rows = pl.DataFrame(
        {
            "week": [date(2025, 1, 6), date(2025, 1, 13), date(2025, 1, 6), date(2025, 1, 13)],
            "seconds": [10.0, 30.0, 20.0, 25.0],
            "low": [None, None, 15.0, 18.0],
            "high": [None, None, 28.0, 33.0],
            "who": ["came", "came", "said", "said"],
        }
    )
    picture = drawn(tmp_path, Panel("A fan", "band", rows, "week", "seconds", "who"))
    lines = {mark.get("stroke") for mark in marks(picture, "line mark")}
    [area] = marks(picture, "area mark")
    assert len(lines) == 2
    assert area.get("fill") in lines
    assert "Jan 12" in words(picture)
