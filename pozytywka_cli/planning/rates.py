"""What will each artist be paid next week, out of a fixed budget?"""

from dataclasses import dataclass, field

import polars as pl

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.weekly.predict import predict
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.planning.backtest import Backtested, backtest
from pozytywka_cli.planning.payouts import CENTS, Rule, payouts
from pozytywka_cli.records import Report


@dataclass(frozen=True)
class Rates:
    """The plan: artist_id, name, week, forecast (s), verdict, share of the budget and payout (money), by artist_id.

    `week` is the Monday of the week that is paid for, one for all rows, and `method` what it is forecast by, as in
    `predict`. `backtest` says how far such plans were off; `notes` say why there is none.
    """

    rows: pl.DataFrame
    method: str
    backtest: list[Backtested]
    notes: list[str] = field(default_factory=list)


def rates(version: Version, dataset: Dataset, rule: Rule, report: Report) -> Rates:
    """Divide the budget by what a serving weekly version forecasts of next week: see `payouts`.

    Raises:
        RefusedError: fewer than 4 full weeks of plays, or the version forecasts no total; or see `payouts`.
        UsageError: the floor is above the cap.
        UnavailableError: the version needs an extra that is not installed.
    """
    if version.manifest.settings.get("measure", "total") != "total":
        problem = f"weekly {version.name} forecasts a listen's mean, by which nobody can be paid"
        raise RefusedError(problem, "Train one that forecasts all listening: `pozytywka train weekly`.")
    history = series(dataset)
    found = predict(version, dataset, horizon=1, history=history).sort("artist_id")
    paid = payouts(rule, rule.weights(found["mean"].to_numpy(), found["verdict"].to_numpy()))
    rows = found.select(
        "artist_id",
        "name",
        "week",
        pl.col("mean").alias("forecast"),
        "verdict",
        share=pl.Series(paid / rule.budget),
        payout=pl.Series(paid / CENTS),
    )
    method = found["method"][0]
    try:
        return Rates(rows, method, backtest(version.manifest, history, rule, report))
    except RefusedError as error:
        return Rates(rows, method, [], [f"There is no backtest: {error.message}."])
