"""Check the names that the settings give to columns."""

from collections.abc import Sequence

from pozytywka_cli.dataset.tables import TABLES
from pozytywka_cli.errors import UsageError
from pozytywka_cli.settings import Assigned


def check(assigned: Sequence[Assigned]) -> None:
    """Check what was given in `[columns]`: tracks.id_artist = "artist_id".

    Raises:
        UsageError: a table or column is unknown, or two columns of a table would have one name; the line is named.
    """
    for given in assigned:
        _, _, name = given.key.partition(".")
        table, _, column = name.partition(".")
        if table not in TABLES:
            raise UsageError(f"{given.source}: unknown table {table!r}", f"Known are {', '.join(TABLES)}.")
        if column not in TABLES[table].schema:
            known = ", ".join(TABLES[table].schema)
            raise UsageError(f"{given.source}: {table} has no column {column!r}", f"Known are {known}.")
        if not (isinstance(given.value, str) and given.value):
            problem = f"{given.source}: the name of {name} is not text: {given.value!r}"
            raise UsageError(problem, f'Write it as {name} = "its name in the files".')
    _check_distinct(assigned)


def _check_distinct(assigned: Sequence[Assigned]) -> None:
    names = {given.key.partition(".")[2]: given for given in assigned}
    for name, given in names.items():
        table, _, column = name.partition(".")
        for other in TABLES[table].schema:
            mapped = names.get(f"{table}.{other}")
            if other != column and given.value == (mapped.value if mapped else other):
                problem = f"{given.source}: {given.value!r} is the name of {table}.{other} as well"
                raise UsageError(problem, "Give each column a name of its own.")
