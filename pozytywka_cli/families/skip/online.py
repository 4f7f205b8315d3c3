"""Answer requests about the present from prepared files: no polars, and no libraries that train models."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Self

import msgspec
import numpy as np

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.events import Event
from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.predictor import Answer, Answerer
from pozytywka_cli.families.skip.features.rates import NEVER
from pozytywka_cli.families.skip.models import kinds
from pozytywka_cli.families.skip.models.model import Model
from pozytywka_cli.families.skip.state import files
from pozytywka_cli.families.skip.state.inputs import inputs
from pozytywka_cli.families.skip.state.layout import NONE
from pozytywka_cli.families.skip.state.requests import Requests
from pozytywka_cli.families.skip.state.state import State

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
FIRST, LAST = ((one.replace(tzinfo=UTC) - EPOCH) // MICROSECOND for one in (datetime.min, datetime.max))


class SkipRequest(msgspec.Struct):
    """A user, and a track that may be the user's next play.

    at: when the track starts; None for the moment at which the user's last known play has ended
    session_id: None for a new session
    """

    user_id: int
    track_id: str
    at: datetime | None = None
    session_id: int | None = None


@dataclass
class SkipAnswerer:
    """A model with the state of all users.

    fallback: the model for unknown tracks
    """

    Request: ClassVar[type[msgspec.Struct]] = SkipRequest
    model: Model
    fallback: Model
    state: State

    @classmethod
    def open(cls, version: Version, folder: Path, other: Callable[[], Answerer | None]) -> Self:
        """Load a checked version and its prepared state; an ArtifactError if a file is damaged."""
        model = kinds.load(version)
        return cls(model, kinds.fallback(model), files.load(folder))

    def observe(self, events: Iterable[Event]) -> None:
        """Add events as they happen; what is left out, see `State.observe`, changes no answer."""
        self.state.observe(events)

    def knows_track(self, track_id: str) -> bool:
        """Return whether a track is in the tracks table."""
        return self.state.catalogue.number(track_id) >= 0

    def answer(self, requests: Sequence[SkipRequest]) -> list[list[Answer]]:
        """Return one row for each request, as `SkipPredictor.predict` does.

        A session that the state does not keep is answered as a new one: nearly always it is one. Of a user's sessions
        it keeps the `layout.SESSIONS` that went on last; only for an older one would the log know more.

        Raises:
            RefusedError: a request is about a moment before the user's latest play, or without a moment where there
                are no plays.
            UsageError: a moment is not in the years 1 to 9999 (UTC).
        """
        users = np.array([self.state.users.row(one.user_id) for one in requests], np.int64)
        at = self._moments(requests, users)
        track = self.state.catalogue.find(one.track_id for one in requests)
        session = np.array([NEVER if one.session_id is None else one.session_id for one in requests], np.int64)
        asked = Requests(users, track, at, session, np.zeros(len(users), np.bool_))
        known, has_track = self.state.knows(users), track < len(self.state.catalogue.ids)
        probability = self._probability(asked, known, has_track).tolist()
        usual, method = self.model.skip_rate, self.model.variant
        reasons = [
            ("model" if user else "unknown user") if track else "unknown track"
            for user, track in zip(known.tolist(), has_track.tolist(), strict=True)
        ]
        return [
            [
                {
                    "user_id": request.user_id,
                    "track_id": request.track_id,
                    "at": _text(moment),
                    "probability": chance,
                    "played_to_end": chance <= usual,
                    "reason": reason,
                    "method": method,
                }
            ]
            for request, moment, chance, reason in zip(requests, at.tolist(), probability, reasons, strict=True)
        ]

    def _probability(self, asked: Requests, known: Flags, has_track: Flags) -> Floats:
        """Return the probability of a skip: by the model, or by the fallback for unknown tracks: (requests,)."""
        if has_track.all():
            return self.model.predict_proba(inputs(self.model.reader, self.state, asked), known)
        probability = np.empty(len(known))
        for model, mask in ((self.model, has_track), (self.fallback, ~has_track)):
            places = np.flatnonzero(mask)
            read = inputs(model.reader, self.state, asked.some(places))
            probability[places] = model.predict_proba(read, known[places])
        return probability

    def _moments(self, requests: Sequence[SkipRequest], users: Ints) -> Ints:
        """Return when the tracks start, µs since 1970: (requests,)."""
        at = self.state.ended(users)
        if all(one.at is None for one in requests):
            if self.state.latest_start == NONE and requests:
                raise RefusedError("there are no plays that a request could follow", "Give `at` for each request.")
            return at
        latest = self.state.users.values("latest_start", users)
        for row, request in enumerate(requests):
            if request.at is None:
                continue
            at[row] = _microseconds(request.user_id, request.at)
            if at[row] < latest[row]:
                problem = f"user {request.user_id}: {_text(int(at[row]))} is before the user's latest play"
                raise RefusedError(problem, "Use `pozytywka predict skip`, which answers about the past too.")
        return at


def _microseconds(user_id: int, given: datetime) -> int:
    """Return the moment that is given for a user, µs since 1970; a UsageError if its year in UTC is 0 or 10000."""
    moment = ((given if given.tzinfo else given.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND
    if not FIRST <= moment <= LAST:
        problem = f"user {user_id}: {given.isoformat()} is not in the years 1 to 9999 (UTC)"
        raise UsageError(problem, "Correct `at`, or leave it out.")
    return moment


def _text(moment: int) -> str:
    """Return a moment as the command line writes it."""
    if FIRST <= moment <= LAST:
        return f"{(EPOCH + timedelta(microseconds=moment)).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    return f"{'+' * (moment > LAST)}{np.datetime64(moment, 'us')}Z"
