"""Charts of the backtest of a cache plan."""

import polars as pl
from msgspec import structs

from pozytywka_cli.planning.replay import Replay
from pozytywka_cli.records import Panel

FACTORS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # of the budget
BUDGET, PLAYS, TIME = "budget of FAST a day", "share of plays served", "share of listened time served"


def over_budgets(replay: Replay, budget: float) -> list[Panel]:
    """Return what each policy serves over budgets around this one; the present placement has its own cost."""
    rows = [
        {**structs.asdict(one), BUDGET: factor * budget}
        for factor in FACTORS
        for one in replay.backtest(factor * budget)
    ]
    frame = pl.DataFrame(rows).rename({"plays_served": PLAYS, "time_served": TIME})
    return [
        Panel(title, "line", frame, BUDGET, share, series="policy", dots=True)
        for title, share in (("Plays served from FAST", PLAYS), ("Listened time served from FAST", TIME))
    ]
