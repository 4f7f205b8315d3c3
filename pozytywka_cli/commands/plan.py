"""`pozytywka plan`: decisions made from predictions."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context
from pozytywka_cli.commands.plan_cache import cache
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    from pozytywka_cli.planning.rates import Rates

app = typer.Typer(help="Make decisions from predictions.", no_args_is_help=True, rich_markup_mode=None)

SHOWN = 10  # pay-outs in the table


@app.callback()
def main() -> None:
    """Make decisions from predictions."""


@app.command()
def rates(
    ctx: typer.Context,
    budget: Annotated[str, typer.Option(metavar="AMOUNT", help="The sum of next week's pay-outs.")],
    floor: Annotated[str, typer.Option(metavar="AMOUNT", help="The least that an artist gets.")] = "0",
    cap: Annotated[str | None, typer.Option(metavar="AMOUNT", help="The most that an artist gets.")] = None,
    premium: Annotated[str, typer.Option(metavar="N%", help="Increase the shares of rising artists.")] = "0%",
    cut: Annotated[str, typer.Option(metavar="N%", help="Reduce the shares of falling artists.")] = "0%",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A .parquet, .csv or .jsonl file.")] = None,
    overrides: options.Set = None,
    json: options.Json = False,
) -> None:
    """Divide a budget among artists by next week's forecast.

    Reads the promoted version of weekly, the data folder, and artifacts/plays.parquet, which it makes where missing or
    stale. Writes only the file of -o, with a row for every artist: artist_id, name, week (the Monday of the week that
    is paid for), forecast (seconds), trend, share and payout. Shows the ten largest, or all of them with --json.

    Pay-outs are in proportion to the forecasts, sum to the budget to the cent (by largest remainder), and respect
    --floor and --cap. --premium and --cut change the share of artists whose trend is rising or falling, as in
    `predict weekly`. If every forecast is 0, nothing can be divided by them: the exit code is 3.

    The backtest shows how good such plans were over the last 13 weeks: the model is fitted again to the weeks before
    them, and each week is planned from the weeks before it. Its pay-outs are compared with pay-outs by actual
    listening: how much an artist gets too much or too little on average, and how much money goes to the wrong artists
    in an average week. Beside the plan stand three simple rules: to pay by the last week, by the mean of the last 4
    weeks, and by the mean of all weeks.

    \b
    Examples:
      pozytywka plan rates --budget 10000
      pozytywka plan rates --budget 10000 --floor 0.50 --cap 250 --premium 5% --cut 5% -o payouts.csv
      pozytywka plan rates --budget 10000 --json | jq .backtest
    """
    from pozytywka_cli.commands import datasets, tables
    from pozytywka_cli.commands import outputs as out
    from pozytywka_cli.pipeline import predict as pipeline
    from pozytywka_cli.planning import rates as planning
    from pozytywka_cli.planning.payouts import Rule, cents, percentage

    shared = context(ctx)
    shared.override(options.assigned(overrides, readable=()))  # a plan is for one week
    out.check_target(output, shared.data())
    rule = Rule(
        budget=cents(budget, "--budget"),
        floor=cents(floor, "--floor"),
        cap=None if cap is None else cents(cap, "--cap"),
        premium=percentage(premium, "--premium"),
        cut=percentage(cut, "--cut"),
    )
    if rule.budget == 0:
        raise UsageError("--budget 0: there is nothing to divide", "Choose an amount above 0.")
    pipeline.promoted(shared.store, "weekly")
    dataset = datasets.dataset(shared)
    with shared.console.progress() as report:
        plan = shared.store.open("weekly", lambda version: planning.rates(version, dataset, rule, report))
    if output:
        out.write_frame(plan.rows, output)
        shared.console.info(f"Wrote {output}: {len(plan.rows):,} artists by weekly {plan.method}.")
    if json:
        tables.json_object("plan rates", plan.rows.to_dicts(), backtest=plan.backtest)
    elif output is None or not shared.console.quiet:
        _show(plan, with_payouts=output is None)
    for note in plan.notes:
        shared.console.warn(note)


app.command()(cache)


def _show(plan: "Rates", *, with_payouts: bool) -> None:
    """Print the largest pay-outs, unless they are in a file, and the backtest."""
    from pozytywka_cli.commands import tables

    if with_payouts:
        columns = ("name", "forecast", "trend", "share", "payout")
        top = plan.rows.sort("payout", descending=True, maintain_order=True).head(SHOWN).select("artist_id", *columns)
        rows = (
            (tables.Name(name or artist_id), forecast, trend, tables.Percent(share), _money(payout))
            for artist_id, name, forecast, trend, share, payout in top.iter_rows()
        )
        pay_outs = f"{len(plan.rows):,} pay-outs for the week from {plan.rows['week'][0]}"
        tables.table(f"The largest of {pay_outs}; forecast in seconds, by weekly {plan.method}", columns, rows)
    if plan.backtest:
        first = plan.backtest[0]
        title = f"Backtest over the last {first.weeks} weeks, {first.artists:,} artists"
        errors = ((row.by, _money(row.absolute_error), _money(row.misallocated)) for row in plan.backtest)
        tables.table(title, ("paid by", "error per artist", "misallocated per week"), errors)


def _money(amount: float) -> Decimal:
    return Decimal(f"{amount:.2f}")
