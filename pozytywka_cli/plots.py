"""Pictures: panels beside each other, drawn with Altair, which needs neither a display nor a network."""

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import category

import polars as pl

from pozytywka_cli.errors import UnavailableError, UsageError
from pozytywka_cli.files import check_writable, replacing
from pozytywka_cli.records import Panel

if TYPE_CHECKING:
    import altair as alt

COLUMNS = 2  # panels beside each other
SIZE = {"width": 420.0, "height": 300.0}  # of a panel, in pixels
# columns that a mark reads besides x, y and the series
BESIDE = {"histogram": ("to",), "band": ("low", "high"), "text": ("text", "size")}
PLAIN, INK = "#6b7785", "#1f2933"
# Okabe and Ito (2008): the colour-blind tell them apart; grey stands for their yellow, too pale on white
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#000000"]
COLOURS += ["#882255", "#999933"]  # of Tol's muted scheme (2021), where there are more than eight
STYLE: dict[str, Any] = {
    "background": "white",
    "padding": 16,
    "axis": {
        "labelFlush": False,
        "labelFontSize": 11,
        "labelLimit": 260,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "axisQuantitative": {"tickCount": 7},
    "concat": {"spacing": 36},
    "legend": {"orient": "top", "columns": 4, "labelFontSize": 12, "labelLimit": 260},
    "mark": {"tooltip": {"content": "encoding"}},
    "title": {"fontSize": 14, "anchor": "start", "frame": "group", "offset": 12},
    "view": {"stroke": None},
}


class InScript(json.JSONEncoder):
    """JSON for a page's script, which a name that holds `</script>` would end."""

    def encode(self, o: Any) -> str:
        """The value as JSON without any `<`."""
        return super().encode(o).replace("<", r"\u003c")


FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"scale_factor": 2},
    ".svg": {},
    ".pdf": {},
    ".html": {"inline": True, "json_kwds": {"cls": InScript}, "embed_options": {"actions": False}},
}


def check(path: Path, flag: str = "--plot") -> None:
    """Refuse a picture that could not be drawn, before any work is done; `flag` is what asked for it.

    Raises:
        UsageError: the suffix names no format.
        UnavailableError: the extra `plot` is not installed.
        StorageError: nothing can be written there.
    """
    if path.suffix not in FORMATS:
        raise UsageError(f"{flag} {path}: the suffix names no format", f"End it with {', '.join(FORMATS)}.")
    try:
        import_module("altair")
        import_module("vl_convert")
    except ImportError as error:
        problem = f"{flag} was asked for, but nothing here can draw: {error}"
        raise UnavailableError(problem, "Install it: `pip install 'pozytywka[plot]'`.") from None
    check_writable(path)


def draw(panels: list[Panel], path: Path, title: str) -> None:
    """Write one picture of the panels in the format of the suffix, whole or not at all.

    The same panels give the same bytes, but for PDF, which lists its fonts in any order.

    Raises:
        StorageError: the file cannot be written.
    """
    import altair as alt

    frames = [_rows(panel) for panel in panels]
    names = dict.fromkeys(name for frame in frames if "series" in frame.columns for name in frame["series"])
    colour = alt.Color("series:N", title=None, scale=alt.Scale(domain=list(names), range=COLOURS))
    marks = {"line": _lines, "band": _bands, "bar": _bars, "histogram": _histogram, "text": _texts}
    charts = [
        marks[panel.mark](panel, frame)
        .encode(color=colour if panel.series else alt.value(INK if panel.mark == "text" else PLAIN))
        .properties(title=_visible(panel.title), **_size(panel, frame))
        for panel, frame in zip(panels, frames, strict=True)
    ]
    heading = alt.Title(_visible(title), fontSize=17, offset=20)
    picture = alt.concat(*charts, columns=COLUMNS, title=heading).configure(**STYLE)
    with replacing(path) as temporary:
        picture.save(temporary, format=path.suffix[1:], **FORMATS[path.suffix])


def _rows(panel: Panel) -> pl.DataFrame:
    """The rows under names that Vega reads as names and nothing else."""
    wanted = {"x": panel.x, "y": panel.y, "series": panel.series} | {name: name for name in BESIDE.get(panel.mark, ())}
    rows = panel.rows.select(pl.col(column).alias(name) for name, column in wanted.items() if column)
    return rows.with_columns(pl.col(pl.String).map_elements(_visible, pl.String))


def _size(panel: Panel, rows: pl.DataFrame) -> dict[str, float]:
    if panel.mark != "text":
        return SIZE
    spans = rows.select(pl.col("x", "y").max() - pl.col("x", "y").min()).row(0)
    return dict(zip(SIZE, spans, strict=True))


def _visible(text: str) -> str:
    """The text with � for each character that nobody sees; a control character would end the whole process."""
    return "".join("�" if category(character).startswith("C") else character for character in text)


def _lines(panel: Panel, rows: pl.DataFrame) -> "alt.LayerChart":
    import altair as alt

    scale = alt.Scale(domain=[0, 1]) if panel.diagonal else alt.Scale(zero=False)
    kind = "T" if rows.schema["x"] == pl.Date else "Q"
    x, y = alt.X(f"x:{kind}", title=panel.x, scale=scale), alt.Y("y:Q", title=panel.y, scale=scale)
    backwards = rows.reverse().with_row_index("row")  # the first series is drawn last, above the others
    chart = alt.Chart(backwards).mark_line(strokeWidth=1.8, point={"size": 28} if panel.dots else False)
    lines = chart.encode(x=x, y=y, order="row:Q")
    if not panel.diagonal:
        return alt.LayerChart(layer=[lines])
    ends = alt.Chart(pl.DataFrame({"x": [0, 1], "y": [0, 1]})).mark_line(strokeWidth=1, strokeDash=[5, 4])
    return alt.LayerChart(layer=[ends.encode(x=x, y=y, color=alt.value(PLAIN)), lines])


def _bands(panel: Panel, rows: pl.DataFrame) -> "alt.LayerChart":
    import altair as alt

    bounded = alt.Chart(rows.drop_nulls(["low", "high"])).mark_area(opacity=0.25)
    area = bounded.encode(x=alt.X("x:T" if rows.schema["x"] == pl.Date else "x:Q"), y="low:Q", y2="high:Q")
    return alt.LayerChart(layer=[area, _lines(panel, rows)])


def _bars(panel: Panel, rows: pl.DataFrame) -> "alt.Chart":
    import altair as alt

    chart: alt.Chart = (
        alt.Chart(rows).mark_bar().encode(x=alt.X("x:Q", title=panel.x), y=alt.Y("y:N", title=None, sort=None))
    )
    return chart


def _histogram(panel: Panel, rows: pl.DataFrame) -> "alt.Chart":
    import altair as alt

    x, y = alt.X("x:Q", title=panel.x, scale=alt.Scale(nice=False)), alt.Y("y:Q", title=panel.y)
    chart: alt.Chart = alt.Chart(rows).mark_bar(binSpacing=1).encode(x=x, x2="to:Q", y=y, y2=alt.datum(0))
    return chart


def _texts(_: Panel, rows: pl.DataFrame) -> "alt.Chart":
    import altair as alt

    scale = alt.Scale(zero=False, nice=False)
    x, y = alt.X("x:Q", axis=None, scale=scale), alt.Y("y:Q", axis=None, scale=scale)
    size = alt.Size("size:Q", scale=None)
    chart: alt.Chart = alt.Chart(rows).mark_text().encode(x=x, y=y, text="text:N", size=size)
    return chart
