"""How variants are fitted, measured and loaded, and how many weeks of history they need."""

from collections import deque
from collections.abc import Callable

import numpy as np
import torch

from pozytywka_cli import learning
from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.features import pooled_ratio
from pozytywka_cli.families.weekly.forecast import Forecast, Model
from pozytywka_cli.families.weekly.models.baselines import SMOOTHING_WEEKS, Linear, Mean, Seasonal, Smoothing, missing
from pozytywka_cli.families.weekly.models.fit_lstm import MIN_WINDOW, TWO_YEARS, fit_lstm, weeks_beside_window
from pozytywka_cli.families.weekly.models.mixture import Mixture
from pozytywka_cli.families.weekly.models.networks import LEGACY_WINDOW, LegacyLstm, LegacyParameters, Lstm
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import Split, fewest_weeks
from pozytywka_cli.learning import Epoch, Recipe

MIN_FITTED_WEEKS = 20  # of variants with fitted weights or forms
MIN_MIXTURE_WEEKS = 6  # before the test weeks; with fewer, hardly a week tells one hypothesis from another
WINDOWS_PER_EPOCH = 25_000
# AdamW without weight decay is Adam; these sizes of batches and epochs keep training short
LEGACY = Recipe(20, 128, 1e-3, weight_decay=0.0, patience=20, rows_per_epoch=WINDOWS_PER_EPOCH)

BASELINES: dict[str, Callable[[Series], Model]] = {
    "mean": lambda history: Mean(pooled_ratio(history)),
    "mean4": lambda history: Mean(pooled_ratio(history), weeks=4),
    "last": lambda history: Mean(pooled_ratio(history), weeks=1),
    "linear": lambda _: Linear(weeks=11),
    "linear-all": lambda _: Linear(weeks=None),
    "seasonal": Seasonal.fitted,
    "AutoETS": lambda history: Smoothing("AutoETS", known=history),
    "SES": lambda _: Smoothing("SES"),
}
LOADERS: dict[str, Callable[[Version], Model]] = {
    "lstm": Lstm.load,
    "mixture": Mixture.load,
    "legacy-lstm": LegacyLstm.load,
    "seasonal": Seasonal.load,
    **dict.fromkeys(("mean", "mean4", "last"), Mean.load),
    **dict.fromkeys(("linear", "linear-all"), Linear.load),
    **dict.fromkeys(("AutoETS", "SES"), Smoothing.load),
}


def load(version: Version) -> Model:
    """Load the model of a checked version of any variant."""
    return LOADERS[version.manifest.variant](version)


def fit(variant: str, history: Series, run: TrainingRun, *, log_weeks: int) -> tuple[Model, list[Epoch]]:
    """Fit a variant to `history`, a part of a log of `log_weeks` weeks; errors: see `fit_lstm`.

    Return the model, and the record of its epochs if it was validated after each.
    """
    if variant == "lstm":
        return fit_lstm(history, run, log_weeks=log_weeks)
    if variant == "mixture":
        return Mixture.fitted(history, run.settings_as(WeeklySettings).horizon), []
    if variant == "legacy-lstm":
        return fit_legacy_lstm(history, run), []
    return BASELINES[variant](history), []


def measure(variant: str, divided: Split, run: TrainingRun) -> tuple[Forecast, list[Epoch]]:
    """Fit a variant to the training weeks of a split, see `fit`; return its forecast of the test weeks, and epochs."""
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


def unavailable(variant: str, weeks: int, settings: WeeklySettings, ahead: int | None = None) -> str:
    """Return why a variant cannot be fitted to so many full weeks, or without its extra; or an empty string.

    The variant is fitted to the weeks that `split` leaves before the test weeks, where the test looks as far ahead as
    the variant, or `ahead` weeks. A longer horizon needs more: training, validation and test must not overlap.
    """
    if missing(variant):
        return "statsforecast is not installed; pip install 'pozytywka[forecast]'"
    horizon = settings.horizon
    starts = {"AutoETS": SMOOTHING_WEEKS["AutoETS"], "legacy-lstm": LEGACY_WINDOW + horizon}
    starts["lstm"] = MIN_WINDOW + weeks_beside_window(horizon)
    starts["mixture"] = MIN_MIXTURE_WEEKS + horizon - 1
    needed = TWO_YEARS + horizon - 1 if variant == "seasonal" else 0
    if variant in starts:
        needed = fewest_weeks(starts[variant], settings.test_weeks) + (ahead or horizon) - 1
        needed = max(needed, 0 if variant == "mixture" else MIN_FITTED_WEEKS)
    return f"only {weeks} full weeks of plays; {variant} needs at least {needed}" if weeks < needed else ""


def fit_legacy_lstm(history: Series, run: TrainingRun) -> LegacyLstm:
    """Train the old systems' network on every week of `history` from the twelfth on, in seconds, for 20 epochs."""
    horizon, device = run.settings_as(WeeklySettings).horizon, torch.device(run.device)
    network = LegacyLstm.untrained(LegacyParameters(pooled_ratio(history), horizon), run.seed)
    listened, length = history.listened.astype(np.float32), LEGACY_WINDOW + horizon
    runs = np.lib.stride_tricks.sliding_window_view(listened, length, axis=1).reshape(-1, length)
    rows = tuple(torch.from_numpy(part.copy()) for part in np.split(runs, [LEGACY_WINDOW], axis=1))
    deque(learning.fit(network, LegacyLstm.loss, rows, None, LEGACY, seed=run.seed, device=device), maxlen=0)
    return network
