"""`pozytywka transform`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context


def transform(
    ctx: typer.Context,
    folder: options.DataDir = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write.  [default: artifacts/plays.parquet]")
    ] = None,
    on_invalid: Annotated[
        Literal["fail", "quarantine"], typer.Option(help="Refuse bad lines, or drop them and keep a copy.")
    ] = "fail",
    json: options.Json = False,
) -> None:
    """Turn raw events into plays, one row for each PLAY.

    Reads sessions and tracks from the data folder. Writes one Parquet file, sorted: user_id, session_id, track_id,
    started_at, advertisement_before, skipped, liked, listened_ms, skipped_at and liked_at. Its metadata hold the first
    premium purchase of each user and the hashes of the inputs. With --on-invalid quarantine, bad lines are dropped and
    written to artifacts/quarantine/bad/.

    \b
    Examples:
      pozytywka transform
      pozytywka transform logs -o plays.parquet --on-invalid quarantine
    """
    from pozytywka_cli.commands import tables
    from pozytywka_cli.commands.outputs import check_target
    from pozytywka_cli.dataset import transform as dataset

    shared = context(ctx)
    data, quarantine = shared.data(folder), shared.artifacts / "quarantine"
    check_target(output, data, (".parquet",))
    with shared.store.lock(), shared.console.progress() as report:
        made = dataset.transform(
            data,
            output or shared.plays,
            columns=shared.columns,
            on_invalid=on_invalid,
            quarantine_dir=quarantine,
            report=report,
        )
    if json:
        tables.json_object("transform", [made])
    for table, count in made.dropped.items():
        if count:
            lines = f"{count:,} bad {'line' if count == 1 else 'lines'} of {table}"
            shared.console.warn(f"Dropped {lines}; a copy is in {made.quarantine}.")
    for message in made.unread:
        shared.console.warn(message)
    shared.console.info(f"Wrote {made.plays}: {made.rows:,} plays.")
