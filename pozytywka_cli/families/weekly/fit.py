"""Every variant by its name: how many weeks it needs, how it is fitted, and how it is read back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.weekly.baselines import Linear, Mean, Seasonal
from pozytywka_cli.families.weekly.exponential_smoothing import LEAST_WEEKS, Smoothing, SmoothingParameters
from pozytywka_cli.families.weekly.features import Reading, pooled_ratio
from pozytywka_cli.families.weekly.legacy_lstm import WINDOW, LegacyLstm
from pozytywka_cli.families.weekly.lstm import Lstm
from pozytywka_cli.families.weekly.lstm_training import TWO_YEARS, learn, least_start, reading_for
from pozytywka_cli.families.weekly.metrics import Split, least_weeks, rolling
from pozytywka_cli.families.weekly.model import Forecast, Model
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.learning import Epoch
from pozytywka_cli.records import Report
from pozytywka_cli.settings import WeeklySettings

FITTED_WEEKS = 20  # with fewer there is nothing to choose by

PLAIN: dict[str, Callable[[Series], Model]] = {
    "mean": lambda history: Mean(pooled_ratio(history)),
    "mean4": lambda history: Mean(pooled_ratio(history), weeks=4),
    "last": lambda history: Mean(pooled_ratio(history), weeks=1),
    "linear": lambda _: Linear(),
    "linear-all": lambda _: Linear(weeks=None),
    "seasonal": Seasonal.fitted,
    "AutoETS": lambda history: Smoothing(SmoothingParameters("AutoETS"), known=history),
    "SES": lambda _: Smoothing(SmoothingParameters("SES")),
}
KINDS: dict[str, Callable[[Version], Model]] = {
    "lstm": Lstm.load,
    "legacy-lstm": LegacyLstm.load,
    "mean": Mean.load,
    "mean4": Mean.load,
    "last": Mean.load,
    "linear": Linear.load,
    "linear-all": Linear.load,
    "seasonal": Seasonal.load,
    "AutoETS": Smoothing.load,
    "SES": Smoothing.load,
}


@dataclass(frozen=True)
class Fitted:
    """A model, and the record of the epochs that it was trained for, if it was measured at each."""

    model: Model
    epochs: list[Epoch] = field(default_factory=list)

    @property
    def best(self) -> int:
        """The epoch whose weights were kept."""
        return max((epoch.epoch for epoch in self.epochs if epoch.best), default=0)


class Measured(NamedTuple):
    """What was fitted to the weeks before the test weeks, and what it said of them."""

    fitted: Fitted
    forecast: Forecast


def missing_weeks(variant: str, weeks: int, settings: WeeklySettings, ahead: int | None = None) -> str:
    """Why a variant cannot be had of so many full weeks; nothing if it can.

    It is fitted to those that `split` leaves before the test weeks, where the test looks as far as the variant or, if
    given, only so many weeks `ahead`. One that looks farther needs more: what it learns from, what it is stopped by and
    what it is tested on must not overlap.
    """
    horizon = settings.horizon
    starts = {"lstm": least_start(horizon), "legacy-lstm": WINDOW + horizon, "AutoETS": LEAST_WEEKS["AutoETS"]}
    needed = TWO_YEARS + horizon - 1 if variant == "seasonal" else 0
    if variant in starts:
        needed = max(FITTED_WEEKS, least_weeks(starts[variant], settings.test_weeks) + (ahead or horizon) - 1)
    name = "the LSTM" if variant == "lstm" else variant
    return f"only {weeks} full weeks of plays; {name} needs at least {needed}" if weeks < needed else ""


def fit(
    variant: str,
    history: Series,
    settings: WeeklySettings,
    reading: Reading,
    *,
    stop_after: int | None,
    seed: int,
    device: str,
    report: Report,
) -> Fitted:
    """Fit a variant to `history`; `reading` and `stop_after` are for the LSTM, see `learn`.

    Raises:
        RefusedError: nothing was listened to in the first weeks.
    """
    if variant == "lstm":
        learned = learn(history, settings, reading, stop_after=stop_after, seed=seed, device=device, report=report)
        return Fitted(learned.model, learned.epochs)
    if variant == "legacy-lstm":
        return Fitted(LegacyLstm.fitted(history, horizon=settings.horizon, seed=seed, device=device))
    return Fitted(PLAIN[variant](history))


def measured(
    variant: str, divided: Split, settings: WeeklySettings, *, seed: int, device: str, report: Report
) -> Measured:
    """Fit a variant to the weeks before the first origin, and ask it of the test weeks: see `rolling`.

    Raises:
        RefusedError: see `fit`.
    """
    reading = reading_for(divided.series, divided.start, settings)
    fitted = fit(variant, divided.past, settings, reading, stop_after=None, seed=seed, device=device, report=report)
    return Measured(fitted, rolling(fitted.model, divided))


def load(version: Version) -> Model:
    """The model of a checked version, whichever variant it is."""
    return KINDS[version.manifest.variant](version)
