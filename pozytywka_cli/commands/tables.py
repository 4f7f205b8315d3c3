"""Tables for people and JSON for programs, on stdout; no computing."""

import sys
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pozytywka_cli.commands.console import literal, literal_json

if TYPE_CHECKING:
    from rich.text import Text

FORMAT = 1
WIDTH = 100  # columns, at most
NUMERIC = (int, float, Decimal, type(None))


class Percent(float):
    """A share that a table shows as a percentage."""


class Bold(str):
    """A text that a table shows in bold."""


class Name(str):
    """A text from the data, of any length, that a table shows on one line and cuts at the width of its column."""


def json_object(command: str, rows: Iterable[Any], **more: Any) -> None:
    """Print `{"format": 1, "command": …, "rows": […]}` on one line; times are ISO 8601, NaN is null.

    Characters that a terminal would obey are escaped.
    """
    import msgspec

    answer = {"format": FORMAT, "command": command, "rows": list(rows), **more}
    sys.stdout.write(literal_json(msgspec.json.encode(answer, enc_hook=str).decode()) + "\n")


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Iterable[Any]],
    *,
    right: Collection[int] = (),
    gap: int = 2,
) -> None:
    """Print a table of at most 100 columns, whose cells are shown literally; where space is short, text is folded.

    A `Name` is cut instead. Columns of numbers, and those in `right`, are right-aligned and never folded. `gap` is the
    space between columns. Off a terminal there are neither colours nor bold text.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [tuple(row) for row in rows]
    grid = Table(box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0))
    for place, column in enumerate(columns):
        figures = place in right or (bool(cells) and all(isinstance(row[place], NUMERIC) for row in cells))
        justify: Literal["left", "right"] = "right" if figures else "left"
        grid.add_column(Text(column, justify=justify), justify=justify, overflow="fold", no_wrap=figures)
    for row in cells:
        grid.add_row(*map(_text, row))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    if title:  # not the grid's own, which folds to the grid's width
        console.print(Text(literal(title), "bold"))
    console.print(grid, width=min(console.width, WIDTH))


def _text(value: Any) -> "Text":
    from rich.text import Text

    if isinstance(value, Name):
        return Text(cell(value), overflow="ellipsis", no_wrap=True)
    return Text(cell(value), "bold" if isinstance(value, Bold) else "")


def cell(value: Any) -> str:
    """Format a value for a table; a list has a line for each item."""
    if isinstance(value, list):
        return "\n".join(cell(item) for item in value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Percent):
        return f"{value:.1%}"
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return literal(str(value)).replace("\n", "\\n")
