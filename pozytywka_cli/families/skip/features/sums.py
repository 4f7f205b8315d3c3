"""The features that follow from sums over a user's known plays and over a session, wherever those come from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.rates import RECENT, rate

USER_PRIOR = 5.0  # plays at the skip rate of the training plays
RECENT_PRIOR = 2.0
SESSION_PRIOR = 2.0  # plays at the user's own rate
HOUR, DAY = 3_600_000_000, 86_400_000_000  # µs
SATURDAY, THURSDAY = 5, 3  # days of a week that starts with 0; that of the first of January 1970


@dataclass(frozen=True)
class UserSums:
    """Sums over the known plays of each row's user: (rows,) each.

    plays, skips, liked, advertised: of all plays
    plays_in_state, skips_in_state: of plays in the premium state of the row
    average: exponentially weighted share of skips
    recent_skips: of the last 8 plays
    previous_skipped, previous_liked: flags of the play that became known last
    """

    plays: Ints
    skips: Ints
    liked: Ints
    advertised: Ints
    plays_in_state: Ints
    skips_in_state: Ints
    average: Floats
    recent_skips: Ints
    previous_skipped: Ints
    previous_liked: Flags

    def features(self, parameters: FeatureParameters) -> dict[str, Floats]:
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


@dataclass(frozen=True)
class SessionSums:
    """Sums over the earlier plays of each row's session: (rows,) each.

    plays, advertised: of all plays
    known, skips: of known plays
    elapsed: µs since the first play
    """

    plays: Ints
    advertised: Ints
    known: Ints
    skips: Ints
    elapsed: Ints

    def features(self, own_rate: Floats, smoothing: float, advertised: Flags) -> dict[str, Floats]:
        """Return the features, with a rate that starts from plays at `own_rate`: (rows,) each.

        `advertised` is whether an advertisement came before the row itself.
        """
        return {
            "session_rate": rate(self.skips, self.known, smoothing * SESSION_PRIOR, own_rate),
            "session_advertisements": np.log1p(self.advertised + advertised),
            "session_position": np.log1p(self.plays),
            "session_minutes": np.log1p(self.elapsed / 60e6),
        }


def time_of_week(now: Ints) -> dict[str, NDArray[np.float64] | Flags]:
    """Return the hour, on a circle, and whether it is weekend, of moments in µs since 1970 (UTC): (rows,) each."""
    hours, hour = now // HOUR % 24, 2 * np.pi / 24 * np.arange(24)
    weekend = (now // DAY + THURSDAY) % 7 >= SATURDAY
    return {"hour_sine": np.sin(hour)[hours], "hour_cosine": np.cos(hour)[hours], "weekend": weekend}
