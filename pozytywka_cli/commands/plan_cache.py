"""`pozytywka plan cache`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context

if TYPE_CHECKING:
    from pozytywka_cli.artifacts import Version
    from pozytywka_cli.planning.cache import CachePlan
    from pozytywka_cli.planning.replay import Backtest

SHOWN = 10  # tracks in the table


def cache(
    ctx: typer.Context,
    fast_budget: Annotated[str, typer.Option(metavar="COST", help="The most that all tracks in FAST cost a day.")],
    medium_budget: Annotated[
        str, typer.Option(metavar="COST", help="The most that all tracks in MEDIUM cost a day.")
    ] = "0",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A .parquet, .csv or .jsonl file.")] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Draw the backtest over budgets: a .png, .svg, .pdf or .html.")
    ] = None,
    overrides: options.Set = None,
    json: options.Json = False,
) -> None:
    """Choose which tracks to keep in FAST, MEDIUM and SLOW storage.

    Reads the data folder with its table track_storage, artifacts/plays.parquet, which it makes where missing or stale,
    and the promoted version of skip. Writes only the files of -o and --plot. The file of -o has a row for every track:
    track_id, name, artist, storage_class (now), planned_class, expected_plays, full_play_probability,
    expected_full_plays (of the coming day) and daily_cost (in the planned class). Shows what each class costs now and
    by the plan, the ten most important moves and the backtest, or everything with --json.

    Budgets are in the unit of daily_cost. What a track would cost in another class is its duration times what a
    millisecond of music costs there, by the median. FAST gets the tracks with the most expected full plays for their
    cost, MEDIUM the best of the others, SLOW the rest; without --medium-budget nothing is in MEDIUM.

    The coming day is the 24 hours after the end of the log. A track's plays are forecast from its popularity, from the
    plays of its artist and from its own; how fast the past is forgotten is chosen by the last 28 days. The probability
    that a play goes to the track's end is the mean over the last 56 days of what skip predicts for the track's plays.
    If no version of skip is promoted, the share of plays that did is used, and a message says so.

    The backtest replays the last 28 days, or a third of a shorter log. Each day is planned from what was known before
    it, with skip trained again on what was known before all of them. The same budget is given to the tracks played most
    before the day, to two caches that see the day play by play and load every track that they miss in place of what
    was used least often, or longest ago, and to an oracle that knows the day's plays. The present placement has its own
    cost; it may have been made in hindsight. "plays" is the share of plays of tracks that were in FAST, "time" the
    share of the time listened to, which is that of the bytes sent if all tracks have the same bit rate. Intervals are
    95 % intervals over users.

    \b
    Examples:
      pozytywka plan cache --fast-budget 5      # the table shows what FAST costs now, to choose by
      pozytywka plan cache --fast-budget 5 --medium-budget 10 -o placement.csv --plot budgets.svg
      pozytywka plan cache --fast-budget 5 --json | jq .backtest
    """
    from pozytywka_cli import plots
    from pozytywka_cli.commands import datasets, tables
    from pozytywka_cli.commands import outputs as out
    from pozytywka_cli.planning import cache as planning
    from pozytywka_cli.planning.charts import over_budgets
    from pozytywka_cli.planning.placement import budgets
    from pozytywka_cli.planning.replay import answer
    from pozytywka_cli.planning.storage import load_storage

    shared = context(ctx)
    shared.override(options.assigned(overrides, readable=()))  # skip was fixed in training
    out.check_target(output, shared.data())
    if plot:
        plots.check(plot)
    limits = budgets(fast_budget, medium_budget)
    has_model = _has_model(shared)
    dataset = datasets.dataset(shared)
    storage = load_storage(shared.data(), dataset, shared.console.info, shared.columns)
    with shared.console.progress() as report:

        def make(version: "Version | None") -> "CachePlan":
            return planning.cache(version, dataset, storage, limits, report)

        plan = shared.store.open("skip", make) if has_model else make(None)
        panels = over_budgets(plan.replay, limits.fast) if plot and plan.replay else []
    if output:
        out.write_frame(plan.rows, output)
        shared.console.info(f"Wrote {output}: {len(plan.rows):,} tracks.")
    sentence = answer(plan.backtest) if plan.backtest else None
    if json:
        more = {"begins": plan.begins, "classes": plan.totals, "backtest": plan.backtest, "answer": sentence}
        tables.json_object("plan cache", plan.rows.to_dicts(), **more)
    elif output is None or not shared.console.quiet:
        _show(plan, sentence)
    if plot and panels:
        plots.draw(panels, plot, "pozytywka plan cache")
        shared.console.info(f"Wrote {plot}.")
    for note in plan.notes:
        shared.console.warn(note)


def _has_model(shared: Context) -> bool:
    """Return whether a version of skip is promoted, and say what stands in for it where none is."""
    from pozytywka_cli.families import registry
    from pozytywka_cli.pipeline import predict as pipeline

    if not shared.store.promoted("skip"):
        shared.console.info(
            "No version of skip is promoted: shares of past plays stand in. See `pozytywka train skip`."
        )
        return False
    [version] = pipeline.promoted(shared.store, "skip").values()
    if message := registry.baseline_message(version.manifest):
        shared.console.info(message)
    return True


def _show(plan: "CachePlan", sentence: str | None) -> None:
    """Print the classes, the most important moves, and the backtest."""
    import textwrap

    import polars as pl

    from pozytywka_cli.commands import tables

    classes = ((one.storage_class, one.tracks_now, one.cost_now, one.tracks, one.cost) for one in plan.totals)
    tables.table(
        f"Storage, and its cost a day, from {plan.begins:%Y-%m-%d %H:%M} (UTC)",
        ("class", "tracks now", "cost now", "tracks", "cost"),
        classes,
    )
    moves = plan.rows.filter(pl.col("storage_class").fill_null("") != pl.col("planned_class"))
    columns = ("storage_class", "planned_class", "expected_full_plays", "daily_cost")
    top = moves.sort("expected_full_plays", descending=True, maintain_order=True).head(SHOWN)
    rows = (
        (tables.Name(name or track), *more)
        for track, name, *more in top.select("track_id", "name", *columns).iter_rows()
    )
    tables.table(
        f"The most important of {len(moves):,} moves", ("name", "now", "planned", "expected full plays", "cost"), rows
    )
    if plan.backtest and sentence:
        _show_backtest(plan.backtest)
        print(textwrap.fill(sentence, tables.WIDTH))


def _show_backtest(backtest: "list[Backtest]") -> None:
    from pozytywka_cli.commands import tables

    first = backtest[0]
    rows = (
        (
            one.policy,
            _range(one.plays_served, one.plays_low, one.plays_high),
            _range(one.time_served, one.time_low, one.time_high),
            one.cost,
        )
        for one in backtest
    )
    title = f"Backtest: served from FAST over the last {first.days} days, {first.plays:,} plays"
    tables.table(title, ("policy", "plays", "time", "cost a day"), rows, right=(1, 2))


def _range(share: float, low: float | None, high: float | None) -> str:
    return f"{share:.1%}" if low is None or high is None else f"{share:.1%} ({low:.1%} to {high:.1%})"
