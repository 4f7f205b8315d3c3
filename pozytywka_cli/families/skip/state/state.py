"""The state of all users: built from a log, kept up to date by events, asked about now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.skip.features.history import NEVER
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.sums import DAY
from pozytywka_cli.families.skip.state import build, observing
from pozytywka_cli.families.skip.state.answer import Answers
from pozytywka_cli.families.skip.state.catalogue import NO_FAVOURITE, Catalogue, numbers
from pozytywka_cli.families.skip.state.contexts import Contexts
from pozytywka_cli.families.skip.state.layout import OTHERS, Records, nobody
from pozytywka_cli.families.skip.state.requests import Requests

ROWS = 512  # of requests at a time: so their arrays stay in a processor's cache


@dataclass
class State:
    """What is known of all users at present, and of tracks.

    ids: the ids of users, sorted; numbers: the row in `users` of each one: (ids,) each
    users: a record of nobody, and those of users: (at least ids + 1,)
    favourites: the numbers of favourite genres of users that were known when it was built: (rows, any width)
    advertised: by user and session, when an advertisement came that no play has followed yet
    """

    parameters: FeatureParameters
    catalogue: Catalogue
    ids: Ints
    numbers: Ints
    users: Records
    favourites: NDArray[np.int32]
    advertised: dict[int, dict[int, int]] = field(default_factory=dict)

    @classmethod
    def build(cls, log: PlayLog, parameters: FeatureParameters) -> "State":
        """Build the state from a log of plays and the tables that describe them.

        It is as if it had observed the events that the plays were made of, except for advertisements that no play
        followed, which are not in a log of plays.
        """
        catalogue = Catalogue.of(log.dataset, parameters)
        known = (log.dataset.purchases["user_id"], log.dataset.users["user_id"], log.users.keys)
        ids = pl.concat(one.cast(pl.Int64) for one in known).drop_nulls().unique().sort().to_numpy()
        users, favourites = build.records(log, ids, catalogue), _favourites(log, ids, catalogue)
        return cls(parameters, catalogue, ids, np.arange(1, len(ids) + 1), users, favourites)

    @cached_property
    def _answers(self) -> Answers:
        return Answers(self.parameters, self.catalogue)

    def observe(self, events: pl.DataFrame) -> int:
        """Add events as they happen, in the columns of the table `sessions`, and return how many were left out.

        Events of a user come in the order of time, at equal times those that are no PLAY first, in any number of calls;
        the events of one call may be in any order. Left out are older events than the user's latest PLAY, reactions to
        another track than the one playing, and copies of a PLAY.

        The state stays what a log of all these events would give, as long as no user has more sessions at once than
        are kept, or more plays at one moment, see `layout`, and a play starts within a day of the advertisement before.
        """
        kinds = pl.col("event_type").cast(pl.String), (pl.col("event_type") == "PLAY").alias("is_play")
        columns = events.select(pl.col("timestamp").to_physical(), "user_id", "session_id", "track_id", *kinds)
        ordered = columns.sort("timestamp", "is_play", "session_id", "track_id")
        return sum(not self._observe(*event) for event in ordered.drop("is_play").iter_rows())

    def _observe(self, at: int, user_id: int, session: int, track_id: str | None, kind: str) -> bool:
        if kind == "ADVERTISEMENT":
            self.advertised[user_id] = {**self._waiting(user_id, at), session: at}
            return True
        user = self._record(user_id, new=kind in ("PLAY", "BUY_PREMIUM"))
        track = None if track_id is None else self.catalogue.number(track_id)
        match kind:
            case "BUY_PREMIUM":
                user["purchased_at"] = min(at, user["purchased_at"][0])
                return True
            case "PLAY":
                waiting = self._waiting(user_id, at)
                advertised = waiting.pop(session, None) is not None
                self.advertised.pop(user_id, None)
                if waiting:
                    self.advertised[user_id] = waiting
                return observing.start(user, session, track or 0, at, advertised, self.catalogue)
        return observing.react(user, session, track, at, liked=kind == "LIKE")

    def _waiting(self, user_id: int, at: int) -> dict[int, int]:
        """Return the advertisements of a user of the last day; sessions that ended with an older one do not go on."""
        return {session: moment for session, moment in self.advertised.get(user_id, {}).items() if at - moment < DAY}

    def _record(self, user_id: int, *, new: bool) -> Records:
        """Return the record of a user, (1,), which is added if there is none; that of nobody if it is not to be."""
        place = int(np.searchsorted(self.ids, user_id))
        if place < len(self.ids) and self.ids[place] == user_id:
            row = int(self.numbers[place])
        elif new:
            row = len(self.ids) + 1
            self.ids, self.numbers = np.insert(self.ids, place, user_id), np.insert(self.numbers, place, row)
            if row == len(self.users):
                self.users = np.concatenate([self.users, nobody(row)])  # twice as many, so that few are copied
        else:
            row = 0
        return self.users[row : row + 1]

    def in_order(self) -> "State":
        """Return the state with its users in the order of their ids, and without room for more."""
        rows = np.append(0, self.numbers)
        favourites = self.favourites[np.where(rows < len(self.favourites), rows, 0)]
        numbers = np.arange(1, len(rows))
        users = self.users[rows]
        return State(self.parameters, self.catalogue, self.ids, numbers, users, favourites, dict(self.advertised))

    def find(self, user_ids: Ints) -> Ints:
        """Return the rows of users, and for unknown ones 0, the row of nobody: (users,)."""
        place = np.searchsorted(self.ids[:-1], user_ids)
        return np.where(self.ids[place] == user_ids, self.numbers[place], 0) if len(self.ids) else np.zeros_like(place)

    def find_tracks(self, track_ids: Sequence[str]) -> Ints:
        """Return the rows of tracks in the catalogue, and for unknown ones its last: (tracks,)."""
        return self.catalogue.rows(np.array([self.catalogue.number(one) for one in track_ids], np.int64))

    def holds(self, requests: Requests) -> Flags:
        """Return which requests are about now: no play of the user is later, and the session is new or kept.

        A session that is not kept, of which there is a limited number for each user, may also be new.
        """
        users = self.users[requests.user]
        kept = (users["plays"]["session"][:, OTHERS:] == requests.session[:, None]).any(1)
        return np.asarray((requests.at >= users["latest_start"]) & (kept | (requests.session == NEVER)))

    def features(self, requests: Requests, names: Sequence[str]) -> NDArray[np.float32]:
        """Return columns of `PlayFeatures`, not a number where it has nulls: (requests, names).

        The requests must be about now, see `holds`.
        """
        features = np.empty((len(requests.user), len(names)), np.float32)
        for part, row, contexts in self._contexts(requests):
            user, track = requests.user[part], requests.track[part]
            described = np.where(user < len(self.favourites), user, 0)
            genres = self.catalogue.main_genres[track][:, None]
            favourite = (self.favourites[described] == genres).any(1)
            columns = self._answers.features(contexts, row, track, requests.advertised[part], favourite)
            for place, name in enumerate(names):
                features[part, place] = columns[name]
        return features

    def user_rates(self, requests: Requests, skip_rate: float) -> Floats:
        """Return what the function `user_rate` returns: (requests,). The requests must be about now, see `holds`."""
        rates = np.empty(len(requests.user))
        for part, row, contexts in self._contexts(requests):
            rates[part] = contexts.user_rate(skip_rate)[row]
        return rates

    def _contexts(self, requests: Requests) -> Iterator[tuple[slice, Ints, Contexts]]:
        """Yield some requests at a time, with the number of each one's context, and these contexts."""
        for start in range(0, len(requests.user), ROWS):
            part = slice(start, start + ROWS)
            user, at, session = requests.user[part], requests.at[part], requests.session[part]
            new = np.ones(len(user), np.bool_)
            new[1:] = (user[1:] != user[:-1]) | (at[1:] != at[:-1]) | (session[1:] != session[:-1])
            records = self.users[user[new]]
            yield part, new.cumsum() - 1, Contexts.of(records, at[new], session[new], self.catalogue)


def _favourites(log: PlayLog, ids: Ints, catalogue: Catalogue) -> NDArray[np.int32]:
    lists = log.dataset.users["favourite_genres"].extend_constant(None, 1)
    lists = lists.gather(np.append(len(lists) - 1, log.members.find(pl.Series(ids, dtype=pl.Int64))))
    table = np.full((len(lists), max(lists.list.len().drop_nulls(), default=0)), NO_FAVOURITE, np.int32)
    for place in range(table.shape[1]):
        names = lists.list.get(place, null_on_oob=True)
        table[:, place] = numbers(names, pl.Series(catalogue.genres, dtype=pl.String), NO_FAVOURITE)
    return table
