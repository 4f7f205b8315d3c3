"""Events as they happen: one line of `sessions` each, with the names and types of that table."""

from typing import NamedTuple


class Event(NamedTuple):
    """A good line of the table sessions.

    at: µs since 1970
    kind: PLAY, SKIP, LIKE, ADVERTISEMENT or BUY_PREMIUM
    """

    at: int
    user_id: int
    session_id: int
    track_id: str | None
    kind: str
