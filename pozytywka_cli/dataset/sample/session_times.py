"""Draw when sessions and their plays start."""

import numpy as np

from pozytywka_cli.dataset.sample.random_draws import Bools, Ints

HOUR = 3_600_000  # ms
WEEK = 7 * 24 * HOUR
REST = HOUR // 4  # at least so long between two sessions of a user
# relative numbers of sessions by the hour of the day
BUSYNESS = np.array([3, 2, 1, 1, 1, 2, 4, 6, 6, 5, 5, 5, 6, 6, 6, 7, 8, 10, 12, 14, 14, 12, 9, 5])


def start_times(rng: np.random.Generator, group: Ints, week: Ints, opens: Bools, slots: Ints) -> Ints:
    """Return the start of every play's slot, ms since the first Monday.

    `group` (plays,) ascends and numbers the (user, week); `opens` marks the first play of a session; `slots` are the
    ms that each play takes. The sessions of a group keep their order, do not overlap and end within the week.
    """
    heads = np.flatnonzero(opens)
    session = np.cumsum(opens) - 1
    elapsed = np.cumsum(slots) - slots
    spans = np.add.reduceat(slots, heads) + REST
    starts = week[heads] * WEEK + _session_starts(rng, group[heads], spans) - elapsed[heads]
    started: Ints = starts[session] + elapsed
    return started


def _session_starts(rng: np.random.Generator, group: Ints, spans: Ints) -> Ints:
    """Return the start of every session, ms since its Monday; it is put off until the session before is over."""
    count = len(group)
    hour = rng.choice(len(BUSYNESS), count, p=BUSYNESS / BUSYNESS.sum())
    moment = (24 * rng.integers(7, size=count) + hour) * HOUR + 1000 * rng.integers(HOUR // 1000, size=count)
    # sorting within each group, and a running maximum that each group starts anew, by setting groups a week apart
    wished = np.sort(group * WEEK + moment)
    before, after = _spans_before(group, spans), spans + _spans_before(group[::-1], spans[::-1])[::-1]
    earliest = np.maximum.accumulate(wished - before) + before
    starts: Ints = np.minimum(earliest, (group + 1) * WEEK - after) - group * WEEK
    return starts


def _spans_before(group: Ints, spans: Ints) -> Ints:
    """Return the sum of the spans before each one in its group."""
    total = np.cumsum(spans) - spans
    opens = np.diff(group, prepend=-1) != 0
    before: Ints = total - total[opens][np.cumsum(opens) - 1]
    return before
