"""The weekly forecasts beside their baselines, on the last weeks: none sees a week that it forecasts."""

from pozytywka_cli.dataset.service import Service
from pozytywka_cli.records import Evaluated, Report, Row
from pozytywka_cli.settings import WeeklySettings
from pozytywka_cli.weekly import BASELINE
from pozytywka_cli.weekly.baselines import Forecast, Linear, Mean, Model
from pozytywka_cli.weekly.features import pooled_ratio, series
from pozytywka_cli.weekly.learn import LSTM_WEEKS, learn, window_for
from pozytywka_cli.weekly.measure import Split, figures, rmse, rolling, split

TOP = 200


def evaluate(service: Service, settings: WeeklySettings, *, seed: int, device: str, report: Report) -> Evaluated:
    """Every metric of every variant, on all artists and on the 200 most listened to before the test weeks.

    With fewer than 20 full weeks there is no `lstm`: what would serve in its place is the `mean`.

    Raises:
        RefusedError: fewer than 4 full weeks, or nothing was listened to in the first ones.
    """
    divided = split(series(service), settings.test_weeks)
    models = _models(divided, settings, seed=seed, device=device, report=report)
    forecasts = {variant: rolling(model, divided) for variant, model in models.items()}
    rows = _rows(divided.protocol, forecasts, divided)
    top = divided.top(TOP)
    largest = {variant: forecast.of(top) for variant, forecast in forecasts.items()}
    return Evaluated(rows + _rows(f"{divided.protocol}, top {TOP}", largest, divided.of(top)))


def _models(divided: Split, settings: WeeklySettings, *, seed: int, device: str, report: Report) -> dict[str, Model]:
    past = divided.past
    ratio = pooled_ratio(past)
    plain: dict[str, Model] = {"mean": Mean(ratio), "linear": Linear()}
    plain |= {"last week": Mean(ratio, weeks=1), "mean of last 4": Mean(ratio, weeks=4)}
    if len(divided.series.weeks) < LSTM_WEEKS:
        return plain
    window = window_for(divided.start, settings)
    learned = learn(past, settings, window, stop_after=None, seed=seed, device=device, report=report)
    return {"lstm": learned.model, **plain}


def _rows(protocol: str, forecasts: dict[str, Forecast], divided: Split) -> list[Row]:
    """Each variant's figures and its RMSE as a multiple of the mean's, where that is not zero."""
    rows = []
    plain = rmse(forecasts[BASELINE], divided)
    for variant, forecast in forecasts.items():
        rows += figures(variant, protocol, forecast, divided)
        if plain:
            rows.append(Row("weekly", variant, protocol, "RMSE ÷ mean", rmse(forecast, divided) / plain))
    return rows
