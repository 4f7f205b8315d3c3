"""The state of all users: built from a log, kept up to date by events, asked about now."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.dataset.events import Event
from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.rates import NEVER
from pozytywka_cli.families.skip.features.sums import DAY
from pozytywka_cli.families.skip.state import observing
from pozytywka_cli.families.skip.state.answer import Answers, Summary
from pozytywka_cli.families.skip.state.catalogue import Catalogue
from pozytywka_cli.families.skip.state.contexts import Contexts, Key
from pozytywka_cli.families.skip.state.layout import NONE, OTHERS, Records
from pozytywka_cli.families.skip.state.requests import Requests
from pozytywka_cli.families.skip.state.users import Users

if TYPE_CHECKING:
    from pozytywka_cli.families.skip.features.play_log import PlayLog

ROWS = 512  # of requests at a time: so their arrays stay in a processor's cache
MOST_SUMMARIES = 1000  # that are kept, of 8 kB each


@dataclass
class State:
    """What is known of all users at present, and of tracks.

    favourites: the numbers of favourite genres of users that were known when it was built: (rows, any width)
    latest_start: when the latest play of all users started; `NONE` if there is none
    advertised: by user and session, when an advertisement came that no play has followed yet
    _summaries: by row of a user, the context that was asked about last, and what is known in it
    """

    parameters: FeatureParameters
    catalogue: Catalogue
    users: Users
    favourites: NDArray[np.int32]
    latest_start: int
    advertised: dict[int, dict[int, int]] = field(default_factory=dict)
    _summaries: dict[int, tuple[Key, Summary]] = field(default_factory=dict)

    @classmethod
    def build(cls, log: "PlayLog", parameters: FeatureParameters) -> "State":
        """Build the state from a log of plays and the tables that describe them.

        It is as if it had observed the events that the plays were made of, except for advertisements that no play
        followed, which are not in a log of plays; they may be observed again.
        """
        from pozytywka_cli.families.skip.state import build  # which takes polars, and a service does not

        return build.state(log, parameters)

    @cached_property
    def _answers(self) -> Answers:
        return Answers(self.parameters, self.catalogue)

    def observe(self, events: Iterable[Event]) -> int:
        """Add events one after another, in any number of calls, and return how many were left out.

        Left out are older events than the user's latest PLAY, reactions to another track than the one playing,
        advertisements that a PLAY of their session has followed, and copies of a PLAY.

        Where the events of each user come in order, see `events.in_order`, the state stays what a log of all of them
        would give, as long as no user has more sessions at once than are kept, or more plays at one moment, see
        `layout`, and a play starts within a day of the advertisement before.
        """
        return sum(not self._observe(*event) for event in events)

    def _observe(self, at: int, user_id: int, session: int, track_id: str | None, kind: str) -> bool:
        user = self._record(user_id, new=kind in ("PLAY", "BUY_PREMIUM"))
        track = None if track_id is None else self.catalogue.number(track_id)
        match kind:
            case "ADVERTISEMENT":
                if observing.has_played(user, session, at):
                    return False
                self.advertised[user_id] = {**self._waiting(user_id, at), session: at}
                return True
            case "BUY_PREMIUM":
                user["purchased_at"] = min(at, user["purchased_at"][0])
                return True
            case "PLAY":
                waiting = self._waiting(user_id, at)
                advertised = waiting.pop(session, None) is not None
                self.advertised.pop(user_id, None)
                if waiting:
                    self.advertised[user_id] = waiting
                self.latest_start = max(self.latest_start, at)
                return observing.start(user, session, track or 0, at, advertised, self.catalogue)
        return observing.react(user, session, track, at, liked=kind == "LIKE")

    def _waiting(self, user_id: int, at: int) -> dict[int, int]:
        """Return the advertisements of a user of the last day; sessions that ended with an older one do not go on."""
        return {session: moment for session, moment in self.advertised.get(user_id, {}).items() if at - moment < DAY}

    def _record(self, user_id: int, *, new: bool) -> Records:
        """Return the record of a user, (1,), which is added if there is none; that of nobody if it is not to be."""
        row = self.users.row(user_id)
        if not row and new:
            row = self.users.add(user_id)
        self._summaries.pop(row, None)
        return self.users.record(row)

    def in_order(self) -> "State":
        """Return a copy of the state with all its users in the order of their ids."""
        rows, users = self.users.in_order()
        favourites = self.favourites[np.where(rows < len(self.favourites), rows, 0)]
        advertised = dict(self.advertised)
        return State(self.parameters, self.catalogue, users, favourites, self.latest_start, advertised)

    def knows(self, users: Ints) -> Flags:
        """Return which rows are users with plays or in the users table: (users,)."""
        return np.asarray(self.users.values("listed", users) | (self.users.values("latest_start", users) > NONE))

    def ended(self, users: Ints) -> Ints:
        """Return when all plays of these rows have ended, or the latest started if no end is known: (users,).

        That is when the user's next play starts; for users without plays, when the latest play of all started.
        """
        latest, known_at = self.users.values("latest_start", users), self.users.values("plays", users)["known_at"]
        # settled plays, which are not kept, were known before the latest start
        ended = np.maximum(latest, np.where(known_at < NEVER, known_at, NONE).max(1))
        return np.where(latest > NONE, ended, self.latest_start)

    def holds(self, requests: Requests) -> Flags:
        """Return which requests are about now: no play of the user is later, and the session is new or kept.

        A session that is not kept, of which there is a limited number for each user, may also be new.
        """
        users = self.users.records(requests.user)
        kept = (users["plays"]["session"][:, OTHERS:] == requests.session[:, None]).any(1)
        return np.asarray((requests.at >= users["latest_start"]) & (kept | (requests.session == NEVER)))

    def features(self, requests: Requests, names: tuple[str, ...]) -> NDArray[np.float32]:
        """Return columns of `PlayFeatures`, not a number where it has nulls: (requests, names).

        The requests must be about now, see `holds`.
        """
        features = np.empty((len(requests.user), len(names)), np.float32)
        for part, row, contexts in _parts(requests):
            user, track = requests.user[part], requests.track[part]
            described = np.where(user < len(self.favourites), user, 0)
            genres = self.catalogue.main_genres[track][:, None]
            favourite = (self.favourites[described] == genres).any(1)
            features[part] = self._answers.features(self._summary(contexts), row, track, favourite, names)
        return features

    def _summary(self, keys: Sequence[Key]) -> Summary:
        """Return what is known in some contexts; the latest one of each user is kept until the next event."""
        summaries: dict[Key, Summary] = {}
        for key in keys:
            of, summary = self._summaries.get(key.user, (None, None))
            if summary is not None and of == key:
                summaries[key] = summary
        if missing := [key for key in keys if key not in summaries]:
            made = self._answers.summary(Contexts.of(self.users, missing, self.catalogue))
            for number, key in enumerate(missing):
                summaries[key] = made.context(number) if len(missing) > 1 else made
                self._summaries[key.user] = key, summaries[key]
            while len(self._summaries) > MOST_SUMMARIES:
                del self._summaries[next(iter(self._summaries))]
        return Summary.of_all([summaries[key] for key in keys])

    def user_rates(self, requests: Requests, skip_rate: float) -> Floats:
        """Return what the function `user_rate` returns: (requests,). The requests must be about now, see `holds`."""
        rates = np.empty(len(requests.user))
        for part, row, contexts in _parts(requests):
            made = Contexts.of(self.users, contexts, self.catalogue)
            rates[part] = np.atleast_1d(made.user_rate(skip_rate))[row]
        return rates


def _parts(requests: Requests) -> Iterator[tuple[slice, Ints, list[Key]]]:
    """Yield some requests at a time, with the number of each one's context, and these contexts."""
    for start in range(0, len(requests.user), ROWS):
        part, numbers = slice(start, start + ROWS), dict[Key, int]()
        columns = (column[part].tolist() for column in requests.context)
        row = [numbers.setdefault(key, len(numbers)) for key in map(Key._make, zip(*columns, strict=True))]
        yield part, np.array(row), [*numbers]
