"""`pozytywka plan`: decisions made from predictions."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    from pozytywka_cli.planning.payouts import Rule
    from pozytywka_cli.planning.rates import Rates

app = typer.Typer(help="Make decisions from predictions.", no_args_is_help=True, rich_markup_mode=None)

SHOWN = 10  # artists in the table


@app.callback()
def main() -> None:
    """Make decisions from predictions."""


@app.command()
def rates(
    ctx: typer.Context,
    budget: Annotated[str, typer.Option(metavar="AMOUNT", help="What next week's pay-outs sum to.")],
    floor: Annotated[str, typer.Option(metavar="AMOUNT", help="What every artist gets at least.")] = "0",
    cap: Annotated[str | None, typer.Option(metavar="AMOUNT", help="What every artist gets at most.")] = None,
    premium: Annotated[str, typer.Option(metavar="N%", help="Rising artists' shares grow by this.")] = "0%",
    cut: Annotated[str, typer.Option(metavar="N%", help="Falling artists' shares shrink by this.")] = "0%",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A .parquet, .csv or .jsonl file.")] = None,
    json: options.Json = False,
) -> None:
    """Divide a budget among artists by next week's forecast.

    Reads the serving version of weekly, the data folder, and artifacts/plays.parquet, which it makes where missing or
    stale. Writes nothing but -o: artist_id, name, week (the Monday of the week that is paid for), forecast
    (seconds), verdict, share and payout of every artist. Shows the ten largest, or all of them with --json.

    Pay-outs are in proportion to the forecast, sum to the budget to the cent (by largest remainder), and keep to
    --floor and --cap. --premium and --cut change the weight of artists whose verdict is rising or falling, as in
    `predict weekly`.

    Below stands how far this would have been off over the last 13 weeks, in money: beside paying by what was really
    listened to, how much an artist gets too much or too little on average, and how much of the budget goes to the wrong
    artists; by the plan, and by paying as last week, or by the mean of the last 4 weeks or of all. For it the model is
    fitted anew to the weeks before those, and each week is planned from the weeks before it alone; only which variant
    serves was decided on the last of them.

    \b
    Examples:
      pozytywka plan rates --budget 10000
      pozytywka plan rates --budget 10000 --floor 0.50 --cap 250 --premium 5% --cut 5% -o payouts.csv
      pozytywka plan rates --budget 10000 --json | jq .backtest
    """
    from pozytywka_cli.commands import datasets, tables
    from pozytywka_cli.commands import outputs as out
    from pozytywka_cli.planning import rates as planning

    shared = context(ctx)
    out.check_target(output, shared.data())
    rule = _rule(budget, floor, cap, premium, cut)
    version = shared.store.load("weekly")
    dataset = datasets.dataset(shared)
    with shared.console.progress() as report:
        made = planning.rates(version, dataset, rule, report)
    if output:
        out.write_frame(made.rows, output)
        shared.console.info(f"Wrote {output}: {len(made.rows):,} artists by weekly {version.manifest.variant}.")
    if json:
        tables.json_object("plan rates", made.rows.to_dicts(), backtest=made.backtest)
    elif output is None or not shared.console.quiet:
        _show(made, listed=output is None)
    for note in made.notes:
        shared.console.warn(note)


def _rule(budget: str, floor: str, cap: str | None, premium: str, cut: str) -> "Rule":
    """The rule that the flags give.

    Raises:
        UsageError: one is no amount or percentage, or there is no budget.
    """
    from pozytywka_cli.planning.payouts import Rule, cents, percentage

    rule = Rule(
        budget=cents(budget, "--budget"),
        floor=cents(floor, "--floor"),
        cap=None if cap is None else cents(cap, "--cap"),
        premium=percentage(premium, "--premium"),
        cut=percentage(cut, "--cut"),
    )
    if rule.budget == 0:
        raise UsageError("--budget 0: there is nothing to divide", "Give an amount above 0.")
    return rule


def _show(made: "Rates", *, listed: bool) -> None:
    """The largest pay-outs, where they are wanted, and the backtest."""
    from pozytywka_cli.commands import tables

    if listed:
        top = made.rows.sort("payout", descending=True, maintain_order=True).head(SHOWN)
        columns = ("name", "forecast", "verdict", "share", "payout")
        rows = (
            (name or artist_id, forecast, verdict, tables.Percent(share), _money(payout))
            for artist_id, name, forecast, verdict, share, payout in top.select("artist_id", *columns).iter_rows()
        )
        paid = f"{len(made.rows):,} pay-outs for the week from {made.rows['week'][0]}"
        tables.table(f"The largest of {paid}; forecast in seconds, by weekly {made.method}", columns, rows)
    if made.backtest:
        first = made.backtest[0]
        title = f"Backtest over the last {first.weeks} weeks, {first.artists:,} artists"
        errors = ((found.by, _money(found.absolute_error), _money(found.misallocated)) for found in made.backtest)
        tables.table(title, ("paid by", "off per artist", "misallocated a week"), errors)


def _money(amount: float) -> Decimal:
    return Decimal(f"{amount:.2f}")
