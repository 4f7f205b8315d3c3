"""`pozytywka predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.pipeline.predict import Predicted

SHOWN = 10  # artists in the table of the forecast


def predict(
    ctx: typer.Context,
    family: Annotated[
        str | None, typer.Argument(metavar="skip|weekly", help="What to predict; both if none.", show_default=False)
    ] = None,
    pairs: Annotated[str | None, typer.Argument(metavar="INPUT|-", help="skip: pairs, from a file or stdin.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="skip: name the three inputs that moved each prediction most.")
    ] = False,
    horizon: options.Horizon = None,
    artist: Annotated[str | None, typer.Option(metavar="NAME", help="weekly: tell of this artist alone.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A .parquet, .csv or .jsonl file.")] = None,
    json: options.Json = False,
) -> None:
    """Predict with the models that serve: the tracks that will be skipped, and next week's listening.

    Reads the serving artifacts, the data folder, and artifacts/plays.parquet, which it makes where missing or stale.

    weekly writes every artist's next week (mean, 10 % and 90 % quantile, in seconds), or as many weeks as its model was
    trained to look ahead, to artifacts/predictions/weekly.parquet and shows the ten most heard; --artist shows one and
    writes nothing but -o. recent is the mean of the last 4 weeks, usual that of the weeks before, since the artist's
    first; change is the forecast against recent. verdict compares recent with usual: rising or falling where they
    differ by more than noise, and the artist's own ups and downs, explain, with at most a tenth of all such verdicts
    false (Benjamini-Hochberg), else steady. A rising artist's change may be below zero, where the model expects part of
    the rise to pass.

    skip reads pairs (user_id, track_id; at and session_id if known) as JSONL, CSV or Parquet and prints a line for
    each; without input it scores every pair played in the last 28 days into artifacts/predictions/skip.parquet. Each
    answer has the probability of a skip, whether the track is likely to be played to its end (no likelier to be skipped
    than is usual), and a reason: model, unknown user (the usual rate of skips) or unknown track (the user's own rate).
    A pair without `at` is the user's next play, once all that the log knows has ended.

    \b
    Examples:
      pozytywka predict
      pozytywka predict weekly -o forecast.csv
      pozytywka predict weekly --horizon 4 --artist "Rosetta"
      pozytywka predict skip pairs.csv --explain -o skips.jsonl
      echo '{"user_id": 101, "track_id": "2PmGtDUyJIpYBEtI1hQIVp"}' | pozytywka predict skip -
    """
    from pozytywka_cli.commands import datasets, tables
    from pozytywka_cli.commands import outputs as out
    from pozytywka_cli.pipeline import predict

    shared = context(ctx)
    _check(family, pairs, output, explain=explain, horizon=horizon, artist=artist)
    out.check_target(output, shared.data())
    named = artist and artist.encode(errors="surrogateescape").decode(errors="replace")  # not UTF-8: no name
    to_file = output is not None or (pairs is None and artist is None)
    versions = predict.serving(shared.store, family)
    asked = out.read_pairs(pairs) if pairs else None
    dataset, rows = datasets.dataset(shared), []
    with shared.console.progress() as report:
        for made in predict.predict(versions, dataset, asked, report, explain=explain, horizon=horizon, artist=named):
            rows += [{"family": made.family, **row} for row in out.dated(made.rows).to_dicts()] if json else []
            _deliver(shared, made, output, to_file=to_file, shown=not json)
    if json:
        tables.json_object("predict", rows)


def _deliver(shared: Context, made: "Predicted", output: Path | None, *, to_file: bool, shown: bool) -> None:
    """A family's answers to a file, or a line for each to stdout; of the forecast, the most heard as a table."""
    from pozytywka_cli.commands import outputs as out

    if to_file:
        target = output or shared.artifacts / "predictions" / f"{made.family}.parquet"
        out.write_frame(made.rows, target)
        shared.console.info(
            f"Wrote {target}: {len(made.rows):,} rows by {made.family} {made.version.manifest.variant}."
        )
    elif shown and made.family == "skip":
        typer.echo(out.dated(made.rows).write_ndjson(), nl=False)
    if made.family == "weekly" and output is None and shown and not (to_file and shared.console.quiet):
        _show(made.rows)


def _check(
    family: str | None,
    pairs: str | None,
    output: Path | None,
    *,
    explain: bool,
    horizon: int | None,
    artist: str | None,
) -> None:
    """Refuse what cannot be meant, before any work is done."""
    from pozytywka_cli.pipeline.predict import PREDICTING

    if family is not None and family not in PREDICTING:
        raise UsageError(
            f"{family!r} is nothing to predict", f"Choose from {', '.join(PREDICTING)}, or give none for both."
        )
    if pairs is not None and family != "skip":
        raise UsageError("only skip reads pairs", "Write `pozytywka predict skip INPUT`.")
    if explain and family != "skip":
        raise UsageError("--explain is for skip", "Write `pozytywka predict skip --explain`.")
    if horizon is not None and family == "skip":
        raise UsageError("--horizon is for weekly", "Write `pozytywka predict weekly --horizon H`.")
    if artist is not None and family != "weekly":
        raise UsageError("--artist is for weekly", "Write `pozytywka predict weekly --artist NAME`.")
    if family is None and output is not None:
        raise UsageError("-o needs one family", "Write `pozytywka predict weekly -o FILE`.")


def _show(forecast: "pl.DataFrame") -> None:
    """The nearest week of the most heard artists; of one artist, all its weeks."""
    import polars as pl

    from pozytywka_cli.commands import tables

    named = forecast.with_columns(pl.coalesce("name", "artist_id").alias("name"), pl.col("week").cast(pl.String))
    alone = forecast["artist_id"].n_unique() == 1
    top = named if alone else named.filter(pl.col("week") == pl.col("week").min()).top_k(SHOWN, by="mean")
    title = f"Seconds, by weekly {top['method'][0]}" if len(top) else "No artist to forecast"
    columns = ("name", "week", "mean", "q10", "q90", "last_week", "change", "recent", "usual", "verdict")
    rows = (
        (*others, None if change is None else tables.Percent(change), recent, usual, verdict)
        for *others, change, recent, usual, verdict in top.select(columns).iter_rows()
    )
    tables.table(title, columns, rows)
