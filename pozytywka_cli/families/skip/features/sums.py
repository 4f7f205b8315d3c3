"""The features that follow from sums over a user's known plays and over a session, wherever those come from."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Flags
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.rates import RECENT, Flag, Real, Whole, rate

USER_PRIOR = 5.0  # plays at the skip rate of the training plays
RECENT_PRIOR = 2.0
SESSION_PRIOR = 2.0  # plays at the user's own rate
HOUR, DAY = 3_600_000_000, 86_400_000_000  # µs
_angles = 2 * np.pi / 24 * np.arange(24)
SINES, COSINES = np.sin(_angles), np.cos(_angles)  # of hours
SATURDAY, THURSDAY = 5, 3  # days of a week that starts with 0; that of the first of January 1970


class UserSums(NamedTuple):
    """Sums over the known plays of each row's user: (rows,) each, or numbers for a single row.

    plays, skips: of all plays
    plays_in_state, skips_in_state: of plays in the premium state of the row
    liked, advertised: of all plays
    average: exponentially weighted share of skips
    recent_skips: of the last 8 plays
    previous_skipped, previous_liked: flags of the play that became known last
    """

    plays: Whole
    skips: Whole
    plays_in_state: Whole
    skips_in_state: Whole
    liked: Whole
    advertised: Whole
    average: Real
    recent_skips: Whole
    previous_skipped: Whole
    previous_liked: Flag

    def features(self, parameters: FeatureParameters) -> dict[str, Any]:
        """Return the features: (rows,) each."""
        size, recent = self.plays, np.minimum(self.plays, RECENT)
        prior, recent_prior = parameters.smoothing * USER_PRIOR, parameters.smoothing * RECENT_PRIOR
        return {
            "user_rate": rate(self.skips, size, prior, parameters.skip_rate),
            "user_plays": np.log1p(size),
            "like_rate": rate(self.liked, size, prior, parameters.like_rate),
            "rate_in_premium_state": rate(self.skips_in_state, self.plays_in_state, prior, parameters.skip_rate),
            "moving_average": self.average,
            "last_8": rate(self.recent_skips, recent, recent_prior, parameters.skip_rate),
            "advertisement_rate": rate(self.advertised, size, prior, parameters.advertisement_rate),
            "previous_skipped": np.where(size > 0, self.previous_skipped, parameters.skip_rate),
            "previous_liked": np.where(size > 0, self.previous_liked, parameters.like_rate),
        }


class SessionSums(NamedTuple):
    """Sums over the earlier plays of each row's session: (rows,) each, or numbers for a single row.

    plays, advertised: of all plays
    known, skips: of known plays
    elapsed: µs since the first play
    """

    plays: Whole
    advertised: Whole
    known: Whole
    skips: Whole
    elapsed: Whole

    def features(self, own_rate: Real, smoothing: float, advertised: Flag) -> dict[str, Any]:
        """Return the features, with a rate that starts from plays at `own_rate`: (rows,) each.

        `advertised` is whether an advertisement came before the row itself.
        """
        return {
            "session_rate": rate(self.skips, self.known, smoothing * SESSION_PRIOR, own_rate),
            "session_advertisements": np.log1p(self.advertised + advertised),
            "session_position": np.log1p(self.plays),
            "session_minutes": np.log1p(self.elapsed / 60e6),
        }


def time_of_week(now: Whole) -> dict[str, NDArray[np.float64] | Flags]:
    """Return the hour, on a circle, and whether it is weekend, of moments in µs since 1970 (UTC): (rows,) each."""
    hours = now // HOUR % 24
    weekend = (now // DAY + THURSDAY) % 7 >= SATURDAY
    return {"hour_sine": SINES[hours], "hour_cosine": COSINES[hours], "weekend": weekend}
