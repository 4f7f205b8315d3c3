"""Divide a budget among artists by next week's forecast."""

from dataclasses import dataclass, field

import polars as pl

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.weekly.predict import WeeklyPredictor
from pozytywka_cli.planning.backtest import Backtest, backtest
from pozytywka_cli.planning.payouts import CENTS, Rule, payouts
from pozytywka_cli.records import Report


@dataclass(frozen=True)
class Rates:
    """The plan of one week.

    rows: artist_id, name, week (the Monday of the week that is paid for), forecast (s), trend, share (of the budget)
        and payout (money), sorted by artist_id
    method: the variant that made the forecast, and whether it is a fallback
    backtest: the errors of such plans in past weeks
    notes: why there is no backtest
    """

    rows: pl.DataFrame
    method: str
    backtest: list[Backtest]
    notes: list[str] = field(default_factory=list)


def rates(version: Version, dataset: Dataset, rule: Rule, report: Report) -> Rates:
    """Divide the budget by a weekly version's forecast of next week: see `payouts`.

    Raises:
        RefusedError: there are fewer than 4 full weeks of plays, the version does not forecast total listening, or the
            rule cannot pay these artists.
        UsageError: the floor is above the cap.
        UnavailableError: the version needs an extra that is not installed.
    """
    if version.manifest.settings.get("measure", "total") != "total":
        problem = f"weekly {version.name} forecasts the mean listen, which does not show how much was listened to"
        raise RefusedError(problem, "Train one that forecasts total listening: `pozytywka train weekly`.")
    predictor = WeeklyPredictor.open(version, dataset)
    forecast = predictor.predict(predictor.default_requests().with_columns(horizon=1)).sort("artist_id")
    paid = payouts(rule, rule.weights(forecast["mean"].to_numpy(), forecast["trend"].to_numpy()))
    rows = forecast.select(
        "artist_id",
        "name",
        "week",
        pl.col("mean").alias("forecast"),
        "trend",
        share=pl.Series(paid / rule.budget),
        payout=pl.Series(paid / CENTS),
    )
    method = forecast["method"][0]
    try:
        return Rates(rows, method, backtest(version.manifest, predictor.history, rule, report))
    except RefusedError as error:
        return Rates(rows, method, [], [f"There is no backtest: {error.message}."])
