"""Tables for people and JSON for programs, on stdout; no computing."""

import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from pozytywka_cli.commands.console import literal

FORMAT = 1


class Percent(float):
    """A share that a table shows as a percentage."""


def json_object(command: str, rows: Iterable[Any], **more: Any) -> None:
    """`{"format": 1, "command": …, "rows": […]}` on one line; times are ISO 8601, what is not a number is null."""
    import msgspec

    answer = {"format": FORMAT, "command": command, "rows": list(rows), **more}
    sys.stdout.write(msgspec.json.encode(answer, enc_hook=str).decode() + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Iterable[Any]], *, file: Any = None) -> None:
    """A table whose cells are shown literally; numbers stand to the right, and text is folded where the width is short.

    Off a terminal there are 160 columns.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [tuple(row) for row in rows]
    numeric = [
        all(isinstance(row[i], int | float | Decimal) or row[i] is None for row in cells) for i in range(len(columns))
    ]
    grid = Table(title=Text(literal(title)), title_justify="left", header_style="bold")
    for column, right in zip(columns, numeric, strict=True):
        grid.add_column(Text(column), justify="right" if right and cells else "left", overflow="fold", no_wrap=right)
    for row in cells:
        grid.add_row(*(Text(cell(value)) for value in row))
    stream = file or sys.stdout
    Console(file=stream, highlight=False, width=None if stream.isatty() else 160).print(grid)


def cell(value: Any) -> str:
    """A value as a table shows it; of a list, a line for each item."""
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
