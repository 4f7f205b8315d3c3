"""What the commands of experiments share: options, the database, plays."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context
from pozytywka_cli.errors import UnavailableError

if TYPE_CHECKING:
    import polars as pl
    import sqlalchemy as sa

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of an experiment.")]
At = Annotated[str | None, typer.Option(metavar="DATE", help="At this date or time (UTC) in place of now.")]


@contextmanager
def connected(shared: Context) -> "Iterator[sa.Engine]":
    """Connect to the database of experiments; an UnavailableError if the extra is missing."""
    try:
        import_module("sqlalchemy")
    except ImportError as error:
        problem = f"experiments need the extra `experiments`: {error}"
        raise UnavailableError(problem, "Install it: `pip install 'pozytywka[experiments]'`.") from None
    from pozytywka_cli.experiments import database

    engine = database.connect(shared.settings.general.database_url, shared.artifacts)
    try:
        yield engine
    finally:
        engine.dispose()


def plays_of(shared: Context, unit: Literal["user", "artist"]) -> "pl.DataFrame":
    """Load the plays by unit."""
    from pozytywka_cli.commands import datasets
    from pozytywka_cli.experiments.play_totals import unit_plays

    return unit_plays(datasets.dataset(shared), unit)


def moment_of(text: str | None) -> int:
    """Return a time, or now, as µs since 1970."""
    from datetime import UTC, datetime

    moment = options.moment(text, "--at") or datetime.now(UTC)
    return round(moment.timestamp() * 1_000_000)
