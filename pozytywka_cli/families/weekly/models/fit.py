"""Fit, measure and load any variant by its name."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.features import InputShape, pooled_ratio
from pozytywka_cli.families.weekly.forecast import Forecast, Model
from pozytywka_cli.families.weekly.models import exponential_smoothing, legacy_lstm
from pozytywka_cli.families.weekly.models.baselines import Linear, Mean, Seasonal
from pozytywka_cli.families.weekly.models.exponential_smoothing import Smoothing, SmoothingParameters
from pozytywka_cli.families.weekly.models.legacy_lstm import LegacyLstm
from pozytywka_cli.families.weekly.models.lstm import Lstm
from pozytywka_cli.families.weekly.models.lstm_training import TWO_YEARS, fit_lstm, input_shape, min_start
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import Split, fewest_weeks, rolling_forecast
from pozytywka_cli.learning import Epoch

MIN_FITTED_WEEKS = 20  # of variants with fitted weights or forms

BASELINES: dict[str, Callable[[Series], Model]] = {
    "mean": lambda history: Mean(pooled_ratio(history)),
    "mean4": lambda history: Mean(pooled_ratio(history), weeks=4),
    "last": lambda history: Mean(pooled_ratio(history), weeks=1),
    "linear": lambda _: Linear(),
    "linear-all": lambda _: Linear(weeks=None),
    "seasonal": Seasonal.fitted,
    "AutoETS": lambda history: Smoothing(SmoothingParameters("AutoETS"), known=history),
    "SES": lambda _: Smoothing(SmoothingParameters("SES")),
}
CLASSES: dict[str, Callable[[Version], Model]] = {
    "lstm": Lstm.load,
    "legacy-lstm": LegacyLstm.load,
    "seasonal": Seasonal.load,
    **dict.fromkeys(("mean", "mean4", "last"), Mean.load),
    **dict.fromkeys(("linear", "linear-all"), Linear.load),
    **dict.fromkeys(("AutoETS", "SES"), Smoothing.load),
}


@dataclass(frozen=True)
class Fitted:
    """A fitted model, and the record of its epochs, if it was validated after each."""

    model: Model
    epochs: list[Epoch] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """The epoch with the best weights."""
        return max((epoch.epoch for epoch in self.epochs if epoch.best), default=0)


def too_little_history(variant: str, weeks: int, settings: WeeklySettings, ahead: int | None = None) -> str:
    """Return why so many full weeks are too few for a variant, or an empty string.

    The variant is fitted to the weeks that `split` leaves before the test weeks, where the test looks as far ahead as
    the variant, or `ahead` weeks. A longer horizon needs more: training, validation and test must not overlap.
    """
    horizon = settings.horizon
    starts = {
        "lstm": min_start(horizon),
        "legacy-lstm": legacy_lstm.WINDOW + horizon,
        "AutoETS": exponential_smoothing.MIN_WEEKS["AutoETS"],
    }
    needed = TWO_YEARS + horizon - 1 if variant == "seasonal" else 0
    if variant in starts:
        fewest = fewest_weeks(starts[variant], settings.test_weeks) + (ahead or horizon) - 1
        needed = max(MIN_FITTED_WEEKS, fewest)
    return f"only {weeks} full weeks of plays; {variant} needs at least {needed}" if weeks < needed else ""


def fit(variant: str, history: Series, shape: InputShape, run: TrainingRun, *, stop_after: int | None = None) -> Fitted:
    """Fit a variant to `history`; `shape` and `stop_after` are for the LSTM, see `fit_lstm`.

    Raises:
        RefusedError: nothing was listened to in the first weeks.
    """
    if variant == "lstm":
        return Fitted(*fit_lstm(history, shape, run, stop_after))
    if variant == "legacy-lstm":
        return Fitted(LegacyLstm.fitted(history, run.settings_as(WeeklySettings).horizon, run))
    return Fitted(BASELINES[variant](history))


def measure(variant: str, divided: Split, run: TrainingRun) -> tuple[Fitted, Forecast]:
    """Fit a variant to the training weeks of a split, and forecast the test weeks: see `rolling_forecast`.

    Raises:
        RefusedError: nothing was listened to in the first weeks.
    """
    shape = input_shape(divided.series, divided.start, run.settings_as(WeeklySettings))
    fitted = fit(variant, divided.past, shape, run)
    return fitted, rolling_forecast(fitted.model, divided)


def load(version: Version) -> Model:
    """Load the model of a checked version of any variant."""
    return CLASSES[version.manifest.variant](version)
