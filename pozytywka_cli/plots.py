"""Draw charts to files with Altair, which needs neither a display nor a network."""

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

COLUMNS = 2  # panels in a row
SIZE = {"width": 420.0, "height": 300.0}  # of a panel, in pixels
# columns that a mark reads besides x, y and the series
MORE_COLUMNS = {"histogram": ("to",), "band": ("low", "high"), "text": ("text", "size")}
PLAIN, INK = "#6b7785", "#1f2933"
# Okabe and Ito (2008), for the colour-blind; grey in place of their yellow, which is too pale on white
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#000000"]
COLOURS += ["#882255", "#999933"]  # from the muted scheme of Tol (2021), for more than eight series
STYLE: dict[str, Any] = {
    "background": "white",
    "padding": 16,
    "axis": {"labelFlush": False, "labelFontSize": 11, "labelLimit": 260}
    | {"titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 8},
    "axisQuantitative": {"tickCount": 7},
    "concat": {"spacing": 36},
    "legend": {"orient": "top", "columns": 4, "labelFontSize": 12, "labelLimit": 260},
    "mark": {"tooltip": {"content": "encoding"}},
    "title": {"fontSize": 14, "anchor": "start", "frame": "group", "offset": 12},
    "view": {"stroke": None},
}


class InScript(json.JSONEncoder):
    """Encode JSON for the script of a page, which a name that contains `</script>` would end."""

    def encode(self, o: Any) -> str:
        """Return the value as JSON without any `<`."""
        return super().encode(o).replace("<", r"\u003c")


FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"scale_factor": 2},
    ".svg": {},
    ".pdf": {},
    ".html": {"inline": True, "json_kwds": {"cls": InScript}, "embed_options": {"actions": False}},
}


def check(path: Path, flag: str = "--plot") -> None:
    """Check before any work is done that a chart can be drawn to `path`, the value of the option `flag`.

    Raises:
        UsageError: the suffix is not that of a chart format.
        UnavailableError: the extra `plot` is not installed.
        StorageError: the file cannot be written.
    """
    if path.suffix not in FORMATS:
        hint = f"Use a file name that ends with {', '.join(FORMATS)}."
        raise UsageError(f"{flag} {path}: unknown chart format", hint)
    try:
        import_module("altair")
        import_module("vl_convert")
    except ImportError as error:
        problem = f"{flag} needs the extra `plot`: {error}"
        raise UnavailableError(problem, "Install it: `pip install 'pozytywka[plot]'`.") from None
    check_writable(path)


def draw(panels: list[Panel], path: Path, title: str) -> None:
    """Draw panels into one file in the format of its suffix; it is written completely or a StorageError is raised.

    The same panels give the same bytes, except for PDF, where the order of fonts may differ.
    """
    import altair as alt

    frames = [_rows(panel) for panel in panels]
    names = dict.fromkeys(name for frame in frames if "series" in frame.columns for name in frame["series"])
    colour = alt.Color("series:N", title=None, scale=alt.Scale(domain=list(names), range=COLOURS))
    charts = [
        _chart(panel, frame)
        .encode(color=colour if panel.series else alt.value(INK if panel.mark == "text" else PLAIN))
        .properties(title=_visible(panel.title), **_size(panel, frame))
        for panel, frame in zip(panels, frames, strict=True)
    ]
    heading = alt.Title(_visible(title), fontSize=17, offset=20)
    picture = alt.concat(*charts, columns=COLUMNS, title=heading).configure(**STYLE)
    with replacing(path) as temporary:
        picture.save(temporary, format=path.suffix[1:], **FORMATS[path.suffix])


def _rows(panel: Panel) -> pl.DataFrame:
    """Return the rows with columns named x, y, series …, as Vega gives other names a meaning (`a.b` is a path)."""
    columns = {"x": panel.x, "y": panel.y, "series": panel.series}
    columns |= {name: name for name in MORE_COLUMNS.get(panel.mark, ())}
    rows = panel.rows.select(pl.col(column).alias(name) for name, column in columns.items() if column)
    return rows.with_columns(pl.col(pl.String).map_elements(_visible, pl.String))


def _size(panel: Panel, rows: pl.DataFrame) -> dict[str, float]:
    if panel.mark != "text":
        return SIZE
    spans = rows.select(pl.col("x", "y").max() - pl.col("x", "y").min()).row(0)
    return dict(zip(SIZE, spans, strict=True))


def _visible(text: str) -> str:
    """Return the text with � for each invisible character; a control character would crash the renderer."""
    return "".join("�" if category(character).startswith("C") else character for character in text)


def _chart(panel: Panel, rows: pl.DataFrame) -> Any:
    """Return the marks of a panel as an altair chart."""
    import altair as alt

    chart, x, y = alt.Chart(rows), alt.X("x:Q", title=panel.x), alt.Y("y:Q", title=panel.y)
    match panel.mark:
        case "line":
            return alt.LayerChart(layer=_lines(panel, rows))
        case "band":
            bounded = alt.Chart(rows.drop_nulls(["low", "high"])).mark_area(opacity=0.25)
            area = bounded.encode(x="x:T" if rows.schema["x"] == pl.Date else "x:Q", y="low:Q", y2="high:Q")
            return alt.LayerChart(layer=[area, alt.LayerChart(layer=_lines(panel, rows))])
        case "bar":
            return chart.mark_bar().encode(x=x, y=alt.Y("y:N", title=None, sort=None))
        case "histogram":
            return chart.mark_bar(binSpacing=1).encode(x=x.scale(nice=False), x2="to:Q", y=y, y2=alt.datum(0))
        case "text":
            pixels: dict[str, Any] = {"axis": None, "scale": alt.Scale(zero=False, nice=False)}
            x, y, size = alt.X("x:Q", **pixels), alt.Y("y:Q", **pixels), alt.Size("size:Q", scale=None)
            return chart.mark_text().encode(x=x, y=y, text="text:N", size=size)


def _lines(panel: Panel, rows: pl.DataFrame) -> "list[alt.Chart]":
    """Return the lines, and the dashed diagonal if there is one."""
    import altair as alt

    scale = alt.Scale(domain=[0, 1]) if panel.diagonal else alt.Scale(zero=False)
    kind = "T" if rows.schema["x"] == pl.Date else "Q"
    x, y = alt.X(f"x:{kind}", title=panel.x, scale=scale), alt.Y("y:Q", title=panel.y, scale=scale)
    backwards = rows.reverse().with_row_index("row")  # the first series is drawn last, above the others
    chart = alt.Chart(backwards).mark_line(strokeWidth=1.8, point={"size": 28} if panel.dots else False)
    lines = chart.encode(x=x, y=y, order="row:Q")
    if not panel.diagonal:
        return [lines]
    ends = alt.Chart(pl.DataFrame({"x": [0, 1], "y": [0, 1]})).mark_line(strokeWidth=1, strokeDash=[5, 4])
    return [ends.encode(x=x, y=y, color=alt.value(PLAIN)), lines]
