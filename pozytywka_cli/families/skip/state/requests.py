"""Requests to a state."""

from dataclasses import dataclass

import numpy as np

from pozytywka_cli.evaluation import Flags, Ints
from pozytywka_cli.families.skip.features.rates import NEVER


@dataclass(frozen=True)
class Requests:
    """Tracks that may be the next plays of users: (requests,) each.

    user, track: rows of the state and of its catalogue
    at: when the track starts, µs since 1970, not before the user's latest play
    session: the id of its session, or NEVER for a new one
    advertised: whether an advertisement came before it
    """

    user: Ints
    track: Ints
    at: Ints
    session: Ints
    advertised: Flags

    @property
    def context(self) -> tuple[Ints, Ints, Ints, Flags]:
        """What the features depend on beside the track: (requests,) each."""
        return self.user, self.at, self.session, self.advertised

    def some(self, places: Ints | Flags | slice) -> "Requests":
        """Return those at these places."""
        return Requests(*(values[places] for values in vars(self).values()))

    @classmethod
    def of(cls, user: Ints, track: Ints, at: Ints) -> "Requests":
        """Ask about the first play of a new session."""
        return cls(user, track, at, np.full(len(user), NEVER), np.zeros(len(user), np.bool_))
