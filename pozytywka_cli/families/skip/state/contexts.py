"""What is known of some users at moments from now on, in sessions that they may be in."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.rates import average, rate
from pozytywka_cli.families.skip.features.sums import USER_PRIOR, SessionSums, UserSums
from pozytywka_cli.families.skip.state.catalogue import Catalogue
from pozytywka_cli.families.skip.state.layout import OTHERS
from pozytywka_cli.families.skip.state.settling import Counts, Memory, Play, Session, due
from pozytywka_cli.families.skip.state.users import Users

SCALARS = [*Memory._fields, "latest_start", "purchased_at"]
NO_SESSION = SessionSums(0, 0, 0, 0, 0)


class Key(NamedTuple):
    """A row of the state, and the moment and session of a next track, see `Requests`."""

    user: int
    at: int
    session: int
    advertised: bool


class Context(NamedTuple):
    """What is known of a user at a moment beside the counts of known plays.

    premium: whether the user has bought it
    pending: whether the start of the next track ends a play, which is known last of all and was not skipped
    mean: of the moving average, without the pending play
    liked, advertised: of the known plays
    recent_skips: of the last 8 known plays
    previous_skipped, previous_liked: of the play that became known last
    """

    premium: bool
    pending: bool
    mean: float
    liked: int
    advertised: int
    recent_skips: int
    previous_skipped: int
    previous_liked: bool


def context_of(
    scalars: Sequence[Any], plays: list[Play], sessions: Sequence[Any], at: int, session: int
) -> tuple[Context, SessionSums, list[Play]]:
    """Return what is known of a record, by its `SCALARS`, plays and sessions, at a moment in a session.

    The plays, which are to be counted, are the known ones that are not settled, and at last the pending one.
    """
    *of_memory, latest_start, purchased_at = scalars
    memory, latest, known = Memory._make(of_memory), plays[OTHERS:], due(plays, latest_start, at)
    for play, superseded in known:
        memory = memory.after(play, superseded=superseded)
    counted, mean = [play for play, _ in known], memory.mean
    liked = memory.likes + sum(play.liked_at <= at and play.known_at <= at for play in latest)
    place = next((place for place, play in enumerate(latest) if play.session == session), None)
    own = latest[place or 0]
    pending = place is not None and own.started_at < at < own.known_at
    if pending:
        counted.append(own._replace(skipped=False))
        memory = memory.after(counted[-1], superseded=False)
        liked += own.liked_at <= at
    context = Context(
        premium=purchased_at <= at,
        pending=pending,
        mean=mean,
        liked=liked,
        advertised=memory.advertisements,
        recent_skips=memory.recent.bit_count(),
        previous_skipped=memory.recent & 1,
        previous_liked=memory.previous_liked_at <= at,
    )
    return context, NO_SESSION if place is None else _in_session(sessions[place], own, counted, at), counted


def _in_session(record: Sequence[int], latest: Play, counted: list[Play], at: int) -> SessionSums:
    session = Session._make(record)
    started = latest.started_at < at
    plays = session.plays if started else session.earlier
    outcomes = [play.skipped for play in counted if play.session == latest.session]
    return SessionSums(
        plays=plays,
        advertised=session.advertisements if started else session.earlier_advertisements,
        known=session.known + len(outcomes),
        skips=session.skips + sum(outcomes),
        elapsed=at - session.first if plays else 0,
    )


class Totals(NamedTuple):
    """The number of known plays and skips: of all, and of those in the premium state of the moment."""

    plays: Any
    skips: Any
    plays_in_state: Any
    skips_in_state: Any

    @classmethod
    def of(cls, outcomes: list[list[int]], premium: bool) -> "Totals":
        """Add up plays by premium and outcome: (2, 2)."""
        (full, skips), (other_full, other_skips) = outcomes[premium], outcomes[not premium]
        return cls(full + skips + other_full + other_skips, skips + other_skips, full + skips, skips)


@dataclass(frozen=True)
class Contexts:
    """Users, each at a moment, with all plays counted that are known then; (contexts,) each.

    Of a single context the fields are numbers in place of arrays of one, but for the counts: python is much faster
    with those, and what is computed from either is the same.

    at: µs since 1970
    advertised: whether an advertisement came before the next track
    counts: the known plays
    most_plays: the most known plays of a context
    """

    at: Any
    advertised: Any
    counts: Counts
    most_plays: int
    totals: Totals
    known: Context
    session_sums: SessionSums

    @classmethod
    def of(cls, users: Users, keys: Sequence[Key], catalogue: Catalogue) -> "Contexts":
        """Count what is known of users in some contexts."""
        records = users.records(np.array([key.user for key in keys]))
        fields = [records[name].tolist() for name in (SCALARS, "plays", "sessions")]
        made = [
            context_of(scalars, [*map(Play._make, plays)], sessions, key.at, key.session)
            for scalars, plays, sessions, key in zip(*fields, keys, strict=True)
        ]
        contexts, in_sessions, counted = zip(*made, strict=True)
        counts = Counts.of(records)
        counts.add([number for number, plays in enumerate(counted) for _ in plays], [*chain(*counted)], catalogue)
        outcomes = zip(counts.sided[:, 0].sum(1).tolist(), contexts, strict=True)
        totals = [Totals.of(by_state, context.premium) for by_state, context in outcomes]
        return cls(
            _column([key.at for key in keys]),
            _column([key.advertised for key in keys]),
            counts,
            max(one.plays for one in totals),
            Totals(*map(_column, zip(*totals, strict=True))),
            Context(*map(_column, zip(*contexts, strict=True))),
            SessionSums(*map(_column, zip(*in_sessions, strict=True))),
        )

    def user_sums(self, parameters: FeatureParameters) -> UserSums:
        """Return the sums over the known plays of users."""
        totals, known = self.totals, self.known
        return UserSums(
            *totals,
            liked=known.liked,
            advertised=known.advertised,
            average=average(known.mean, totals.plays - known.pending, known.pending, parameters.skip_rate),
            recent_skips=known.recent_skips,
            previous_skipped=known.previous_skipped,
            previous_liked=known.previous_liked,
        )

    def user_rate(self, skip_rate: float) -> Floats:
        """Return what the function `user_rate` returns: (contexts,)."""
        return rate(self.totals.skips, self.totals.plays, USER_PRIOR, skip_rate)


def _column(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else np.array(values)
