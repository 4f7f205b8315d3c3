"""How a state holds its users: one record of fixed size for each, times in µs since 1970."""

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.families.skip.features.attributes import ATTRIBUTES, BINS, PAIRS, SIDED
from pozytywka_cli.families.skip.features.rates import NEVER

NONE = np.iinfo(np.int64).min  # the session of no play; no session of a request is NEVER
SESSIONS = 6  # of a user that are kept: those with the latest plays
OTHERS = 4  # plays of a user that are neither known yet nor the latest ones of these sessions
UNSIDED = len(ATTRIBUTES) - len(SIDED)

# track: the row of the catalogue, or −1 less a digest of an unknown id; skipped: before the end of the track;
# known_at: when the outcome is known, as far as can be told now; NEVER for a track of unknown duration;
# advertised: after an advertisement
PLAY = np.dtype(
    [
        ("session", np.int64),
        ("started_at", np.int64),
        ("known_at", np.int64),
        ("liked_at", np.int64),
        ("track", np.int32),
        ("skipped", np.bool_),
        ("premium", np.bool_),
        ("advertised", np.bool_),
    ]
)
# first: when the first play started; plays, advertisements: of all plays; earlier, earlier_advertisements: of those
# that started before the latest one; known, skips: of the settled plays
SESSION = np.dtype(
    [
        ("first", np.int64),
        ("plays", np.int32),
        ("advertisements", np.int32),
        ("earlier", np.int32),
        ("earlier_advertisements", np.int32),
        ("known", np.int32),
        ("skips", np.int32),
    ]
)
# Plays are settled, that is counted, once they are known before the start of the user's latest play: so nothing that
# happens later can change them, or come between them. Those that are not, and the latest one of each kept session, are
# in `plays`: first the others in the order in which they started, then those of `sessions`, the latest first.
# sided, unsided: settled plays by attribute, bin (two bins of 24 in `unsided`), premium and outcome
# products, skipped_steps: sums for `Line`, without the square of the level
# likes: liked plays that are settled and not in `plays`
# mean, weight: of the moving average; recent: the last 8 outcomes, the latest in the lowest bit
# previous_session, previous_liked_at: of the play that was settled last
# listed: whether the user is in the users table
USER = np.dtype(
    [
        ("sided", np.int32, (len(SIDED), BINS + 1, 2, 2)),
        ("unsided", np.int32, (UNSIDED, BINS // 2, 2)),
        ("products", np.int64, len(PAIRS) - 1),
        ("skipped_steps", np.int64, len(SIDED)),
        ("likes", np.int32),
        ("advertisements", np.int32),
        ("mean", np.float64),
        ("weight", np.float64),
        ("recent", np.uint8),
        ("listed", np.bool_),
        ("previous_session", np.int64),
        ("previous_liked_at", np.int64),
        ("latest_start", np.int64),
        ("purchased_at", np.int64),
        ("plays", PLAY, OTHERS + SESSIONS),
        ("sessions", SESSION, SESSIONS),
    ]
)

Records = NDArray[np.void]


def nobody(count: int) -> Records:
    """Return records of users of whom nothing is known: (count,)."""
    users = np.zeros(count, USER)
    for name in ("previous_liked_at", "purchased_at"):
        users[name] = NEVER
    for name in ("previous_session", "latest_start"):
        users[name] = NONE
    users["plays"] = no_play()
    return users


def no_play() -> Records:
    """Return the record of no play: ()."""
    play = np.zeros((), PLAY)
    play["session"] = NONE
    for name in ("started_at", "known_at", "liked_at"):
        play[name] = NEVER
    return play
