"""What is known of some users at moments from now on, in sessions that they may be in."""

from dataclasses import dataclass

import numpy as np

from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.rates import average, rate
from pozytywka_cli.families.skip.features.sums import USER_PRIOR, SessionSums, UserSums
from pozytywka_cli.families.skip.state.catalogue import Catalogue
from pozytywka_cli.families.skip.state.layout import OTHERS, Records
from pozytywka_cli.families.skip.state.settling import count, settle


@dataclass(frozen=True)
class Contexts:
    """Users, each at a moment, (contexts,), with all plays counted that are known then.

    users: their records, with the plays that are known at the moment, and with the pending one
    at: µs since 1970
    sided, everything: known plays of `users` by premium and outcome, with and without attribute and bin
    pending: whether the start of the next track ends a play, which is known last of all and was not skipped
    latest: the latest plays of the sessions, (contexts, sessions)
    own: the place in `latest` of the session of the next track; 0 where there is none
    in_session, started: whether there is, and whether its latest play started earlier
    """

    users: Records
    at: Ints
    everything: Ints
    pending: Flags
    latest: Records
    own: Ints
    in_session: Flags
    started: Flags

    @classmethod
    def of(cls, users: Records, at: Ints, session: Ints, catalogue: Catalogue) -> "Contexts":
        """Count what is known at `at` in records that nothing else uses, in these sessions, (contexts,) each."""
        settle(users, at, catalogue)
        latest = users["plays"][:, OTHERS:]
        of_session = latest["session"] == session[:, None]
        own, in_session = of_session.argmax(1), of_session.any(1)
        play = latest[np.arange(len(users)), own]
        started = in_session & (play["started_at"] < at)
        pending = started & (play["known_at"] > at)
        if pending.any():
            (rows,) = np.nonzero(pending)
            count(users, rows, play[rows], np.zeros(len(rows), np.bool_), catalogue)
        everything = users["sided"][:, 0].sum(1)
        return cls(users, at, everything, pending, latest, own, in_session, started)

    @property
    def premium(self) -> Flags:
        """Whether the user has bought premium: (contexts,)."""
        return np.asarray(self.users["purchased_at"] <= self.at)

    def rate(self, prior: float, skip_rate: float) -> Floats:
        """Return the share of known plays that were skipped, with some plays at `skip_rate`: (contexts,)."""
        return rate(self.everything[..., 1].sum(1), self.everything.sum((1, 2)), prior, skip_rate)

    def user_sums(self, parameters: FeatureParameters) -> UserSums:
        """Return the sums over the known plays of users."""
        users, pending, row = self.users, self.pending, np.arange(len(self.users))
        plays, known_likes = self.everything.sum((1, 2)), self.latest["liked_at"] <= self.at[:, None]
        in_state = self.everything[row, self.premium.astype(int)]
        counted = self.latest["known_at"] <= self.at[:, None]
        pending_liked = pending & known_likes[row, self.own]
        recent = np.where(pending, users["recent"] << 1, users["recent"])
        return UserSums(
            plays=plays,
            skips=self.everything[..., 1].sum(1),
            liked=users["likes"] + (known_likes & counted).sum(1) + pending_liked,
            advertised=users["advertisements"],
            plays_in_state=in_state.sum(1),
            skips_in_state=in_state[:, 1],
            average=average(users["mean"], plays - pending, pending, parameters.skip_rate),
            recent_skips=np.bitwise_count(recent).astype(np.int64),
            previous_skipped=(recent & 1).astype(np.int64),
            previous_liked=np.where(pending, pending_liked, users["previous_liked_at"] <= self.at),
        )

    def session_sums(self) -> SessionSums:
        """Return the sums over the earlier plays of sessions."""
        session = self.users["sessions"][np.arange(len(self.users)), self.own]
        plays, advertised = (
            np.where(self.in_session, np.where(self.started, session[name], session[earlier]), 0)
            for name, earlier in (("plays", "earlier"), ("advertisements", "earlier_advertisements"))
        )
        return SessionSums(
            plays=plays,
            advertised=advertised,
            known=np.where(self.in_session, session["known"], 0),
            skips=np.where(self.in_session, session["skips"], 0),
            elapsed=np.where(plays > 0, self.at - session["first"], 0),
        )

    def user_rate(self, skip_rate: float) -> Floats:
        """Return what the function `user_rate` returns: (contexts,)."""
        return self.rate(USER_PRIOR, skip_rate)
