"""Read CSV text as the raw columns of a table."""

from pozytywka_cli.dataset.reading.csv_reader import SEPARATORS, first_rows, line_numbers, plain_text, read_csv
from pozytywka_cli.dataset.reading.line_reader import Raw
from pozytywka_cli.dataset.reading.read import from_frame
from pozytywka_cli.dataset.tables import Table
from pozytywka_cli.errors import RefusedError


def read_rows(table: Table, content: bytes, name: str) -> Raw:
    """Read CSV, separated by commas, tabs, semicolons or pipes; columns that the table does not have are left out.

    Raises:
        RefusedError: a line is not CSV, or a column that the table requires is missing or there twice.
    """
    text = plain_text(content, name)
    headers = {separator: first_rows(text, separator)[0] for separator in SEPARATORS}
    separator = max(headers, key=lambda one: len(set(headers[one]) & table.schema.keys()))
    header = headers[separator]
    for column in table.columns:
        if header.count(column.name) > 1:
            raise RefusedError(f"{name}:1: the column {column.name} is there twice", "Leave out one of them.")
        if column.required and column.name not in header:
            raise RefusedError(f"{name}:1: there is no column {column.name}", "Add it, and run again.")
    records = read_csv(text, name, separator)
    known = {at: column for at, column in enumerate(header) if column in table.schema}
    frame = records[1:].select(records[1:, at].alias(column) for at, column in known.items())
    return from_frame(table, frame, line_numbers(records)[1:])
