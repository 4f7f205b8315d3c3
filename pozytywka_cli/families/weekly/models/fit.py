"""Fit, measure and load any variant by its name."""

from collections.abc import Callable

import numpy as np

from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.features import pooled_ratio
from pozytywka_cli.families.weekly.forecast import Forecast, Model
from pozytywka_cli.families.weekly.models import exponential_smoothing
from pozytywka_cli.families.weekly.models.baselines import Linear, Mean, Seasonal
from pozytywka_cli.families.weekly.models.exponential_smoothing import Smoothing
from pozytywka_cli.families.weekly.models.networks import LEGACY_WINDOW, LegacyLstm, Lstm
from pozytywka_cli.families.weekly.models.training import MIN_WINDOW, fit_legacy_lstm, fit_lstm, weeks_beside_window
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import Split, fewest_weeks
from pozytywka_cli.learning import Epoch

MIN_FITTED_WEEKS = 20  # of variants with fitted weights or forms
TWO_YEARS = 104  # weeks from which on models use the season

BASELINES: dict[str, Callable[[Series], Model]] = {
    "mean": lambda history: Mean(pooled_ratio(history)),
    "mean4": lambda history: Mean(pooled_ratio(history), weeks=4),
    "last": lambda history: Mean(pooled_ratio(history), weeks=1),
    "linear": lambda _: Linear(),
    "linear-all": lambda _: Linear(weeks=None),
    "seasonal": Seasonal.fitted,
    "AutoETS": lambda history: Smoothing("AutoETS", known=history),
    "SES": lambda _: Smoothing("SES"),
}
LOADERS: dict[str, Callable[[Version], Model]] = {
    "lstm": Lstm.load,
    "legacy-lstm": LegacyLstm.load,
    "seasonal": Seasonal.load,
    **dict.fromkeys(("mean", "mean4", "last"), Mean.load),
    **dict.fromkeys(("linear", "linear-all"), Linear.load),
    **dict.fromkeys(("AutoETS", "SES"), Smoothing.load),
}


def load(version: Version) -> Model:
    """Load the model of a checked version of any variant."""
    return LOADERS[version.manifest.variant](version)


def too_little_history(variant: str, weeks: int, settings: WeeklySettings, ahead: int | None = None) -> str:
    """Return why so many full weeks are too few for a variant, or an empty string.

    The variant is fitted to the weeks that `split` leaves before the test weeks, where the test looks as far ahead as
    the variant, or `ahead` weeks. A longer horizon needs more: training, validation and test must not overlap.
    """
    horizon = settings.horizon
    starts = {
        "lstm": MIN_WINDOW + weeks_beside_window(horizon),
        "legacy-lstm": LEGACY_WINDOW + horizon,
        "AutoETS": exponential_smoothing.MIN_WEEKS["AutoETS"],
    }
    needed = TWO_YEARS + horizon - 1 if variant == "seasonal" else 0
    if variant in starts:
        fewest = fewest_weeks(starts[variant], settings.test_weeks) + (ahead or horizon) - 1
        needed = max(MIN_FITTED_WEEKS, fewest)
    return f"only {weeks} full weeks of plays; {variant} needs at least {needed}" if weeks < needed else ""


def fit(
    variant: str, history: Series, run: TrainingRun, *, log_weeks: int, stop_after: int | None = None
) -> tuple[Model, list[Epoch]]:
    """Fit a variant to `history`; return the model, and the record of its epochs if it was validated after each.

    For the LSTM: `stop_after`, see `fit_lstm`; and the week of year is an input if the log has two years of weeks.

    Raises:
        RefusedError: nothing was listened to in the first weeks.
    """
    if variant == "lstm":
        return fit_lstm(history, run, annual=log_weeks >= TWO_YEARS, stop_after=stop_after)
    if variant == "legacy-lstm":
        return fit_legacy_lstm(history, run), []
    return BASELINES[variant](history), []


def measure(variant: str, divided: Split, run: TrainingRun) -> tuple[Forecast, list[Epoch]]:
    """Fit a variant to the training weeks of a split; return its forecast of the test weeks and record of epochs.

    Raises:
        RefusedError: nothing was listened to in the first weeks.
    """
    model, epochs = fit(variant, divided.past, run, log_weeks=len(divided.series.weeks))
    return rolling_forecast(model, divided), epochs


def rolling_forecast(model: Model, divided: Split) -> Forecast:
    """Forecast every test week from 1 to `horizon` weeks before it: (artists, test weeks, horizon)."""
    origins = range(divided.start, len(divided.series.weeks))
    forecasts = [model.forecast(divided.series.before(origin), divided.horizon) for origin in origins]
    steps = np.arange(divided.horizon)
    rows = np.arange(len(divided.test_weeks))[:, None] + steps[::-1]  # the forecast of each test week and step
    parts = (np.stack(part, axis=1)[:, rows, steps] for part in zip(*forecasts, strict=True))
    return Forecast(*map(np.ascontiguousarray, parts))
