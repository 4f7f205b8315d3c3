"""Every variant by its name: how many weeks it needs, how it is fitted, and how it is read back."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pozytywka_cli.artifacts import Version
from pozytywka_cli.learning import Epoch
from pozytywka_cli.records import Report
from pozytywka_cli.settings import WeeklySettings
from pozytywka_cli.weekly.features import Reading, pooled_ratio
from pozytywka_cli.weekly.learn import TWO_YEARS, learn
from pozytywka_cli.weekly.legacy import LegacyLstm
from pozytywka_cli.weekly.lstm import Lstm
from pozytywka_cli.weekly.model import Model
from pozytywka_cli.weekly.plain import Linear, Mean, Seasonal
from pozytywka_cli.weekly.series import Series
from pozytywka_cli.weekly.smoothing import Smoothing, SmoothingParameters

FITTED_WEEKS = 20  # with fewer there is nothing to choose by

PLAIN: dict[str, Callable[[Series], Model]] = {
    "mean": lambda history: Mean(pooled_ratio(history)),
    "mean4": lambda history: Mean(pooled_ratio(history), weeks=4),
    "last": lambda history: Mean(pooled_ratio(history), weeks=1),
    "linear": lambda _: Linear(),
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


def missing_weeks(variant: str, weeks: int, horizon: int) -> str:
    """Why a variant cannot be had of so many full weeks; nothing if it can.

    One that looks farther needs more: its targets, its validation's and the test's must not overlap.
    """
    fitted = FITTED_WEEKS + 3 * (horizon - 1)
    least = {"lstm": fitted, "legacy-lstm": fitted, "AutoETS": fitted, "seasonal": TWO_YEARS + horizon - 1}
    needed = least.get(variant, 0)
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


def load(version: Version) -> Model:
    """The model of a checked version, whichever variant it is."""
    return KINDS[version.manifest.variant](version)
