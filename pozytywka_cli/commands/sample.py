"""`pozytywka sample`."""

from pathlib import Path
from typing import Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context


def sample(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="The folder to write; default: --data-dir.")
    ] = None,
    users: Annotated[int, typer.Option(help="How many users.")] = 120,
    weeks: Annotated[int, typer.Option(help="How many weeks of logs.")] = 40,
    seed: options.Seed = 0,
    dirty: Annotated[bool, typer.Option("--dirty", help="Add every fault that `validate` finds.")] = False,
    json: options.Json = False,
) -> None:
    """Make a realistic data set, to try everything without data of your own.

    Writes the five tables, and beside them truth/: the skip probability of each play, each artist's genre and weekly
    rate, how these divide among users and tracks, what moves each user to skip, and the faults added with --dirty. An
    earlier sample is replaced, a README and hidden files are kept, and a folder with any other file is refused.

    \b
    Examples:
      pozytywka sample data
      pozytywka sample big --users 5000 --weeks 104 --seed 7
      pozytywka sample broken --dirty && pozytywka validate broken
    """
    from pozytywka_cli.commands import tables
    from pozytywka_cli.dataset.sample import write_sample

    shared = context(ctx)
    with shared.console.progress() as report:
        made = write_sample(shared.data(folder), users=users, weeks=weeks, seed=seed, dirty=dirty, report=report)
    if json:
        tables.json_object("sample", [made])
    text = f"{made.users:,} users, {made.artists:,} artists, {made.tracks:,} tracks, {made.events:,} events"
    shared.console.info(f"Wrote {made.folder}: {text}" + (f", {made.faults:,} faults." if dirty else "."))
