"""The evaluation protocol: a rolling origin over the last weeks, each forecast from the weeks before it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.weekly.series import Floats, Series

MIN_WEEKS = 4


@dataclass(frozen=True)
class Split:
    """The artists with listening before week number `start`, which is the first of the origins.

    The test weeks are those that the forecasts from all `horizon` distances reach: from `start + horizon - 1` on.
    """

    series: Series
    start: int
    horizon: int = 1

    @property
    def past(self) -> Series:
        """The training weeks."""
        return self.series.before(self.start)

    @property
    def test_weeks(self) -> range:
        """The numbers of the test weeks."""
        return range(self.start + self.horizon - 1, len(self.series.weeks))

    @property
    def truth(self) -> Floats:
        """The listening in the test weeks: (artists, test weeks), in seconds."""
        return self.series.listened[:, self.test_weeks.start :]

    @property
    def protocols(self) -> dict[int, str]:
        """The name of the protocol for each number of weeks ahead."""
        name = f"rolling {len(self.test_weeks)} weeks"
        return {step: f"{name}, {step} ahead" if self.horizon > 1 else name for step in range(1, self.horizon + 1)}

    def top(self, count: int) -> NDArray[np.intp]:
        """Return the rows of the artists with the most listening before the first origin."""
        return np.argsort(-self.past.listened.sum(axis=1), kind="stable")[:count]


def split(history: Series, test_weeks: int, horizon: int = 1) -> Split:
    """Hold out the last `test_weeks` weeks (a third at most) for testing, and the origins of forecasts of the first.

    Too few weeks, or no listening before the first origin, raise a RefusedError.
    """
    weeks = len(require_weeks(history, horizon).weeks) - (horizon - 1)
    start = weeks - min(test_weeks, weeks // 3)
    require_listening(history, start)
    return Split(history.of(np.flatnonzero(history.listened[:, :start].any(axis=1))), start, horizon)


def fewest_weeks(training: int, held_out: int) -> int:
    """Return the fewest weeks of which `training` remain after `held_out` of them, a third at most, are held out."""
    return min(training + held_out, 3 * (training - 1) // 2 + 1)


def require_weeks(history: Series, horizon: int = 1) -> Series:
    """Return the same series after checking that it is long enough for any forecast, else raise a RefusedError.

    It needs 4 full weeks, and one for each further week of the `horizon`.
    """
    needed = MIN_WEEKS + horizon - 1
    if len(history.weeks) < needed:
        farther = f" to look {horizon} weeks ahead" if horizon > 1 else ""
        problem = f"only {len(history.weeks)} full weeks of plays; weekly needs at least {needed}{farther}"
        raise RefusedError(problem, "Use a longer log; a full week runs from Monday to Sunday, UTC.")
    return history


def require_listening(history: Series, weeks: int) -> None:
    """Check that something was listened to in the first `weeks` weeks, else raise a RefusedError."""
    if not history.listened[:, :weeks].any():
        problem = f"nothing was listened to in the {weeks} full weeks from {history.weeks[0]}"
        raise RefusedError(problem, "Use a log without such a gap at its beginning.")
