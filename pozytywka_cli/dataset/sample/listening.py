"""Draw what users play, in which sessions, and what they skip and like."""

import numpy as np
import polars as pl

from pozytywka_cli.dataset.sample.entities import Bools, Catalogue, Floats, Ints, Listeners

SESSION_END = 1 / 16  # probability after each play; the last play of a user's week ends a session anyhow
ADVERTISEMENT = 0.3  # probability between two plays without premium
PAUSE = 0.2  # probability that the next play does not follow at once
HOUR = 3_600_000  # ms
WEEK = 7 * 24 * HOUR
REST = HOUR // 4  # at least so long between two sessions of a user
# relative numbers of sessions by the hour of the day
BUSYNESS = np.array([3, 2, 1, 1, 1, 2, 4, 6, 6, 5, 5, 5, 6, 6, 6, 7, 8, 10, 12, 14, 14, 12, 9, 5])
SKIP_PREMIUM, SKIP_ADVERTISEMENT, SKIP_FAVOURITE = 0.8, 0.3, -0.4  # logits


def listen(rng: np.random.Generator, listeners: Listeners, catalogue: Catalogue, rates: Floats) -> pl.DataFrame:
    """Draw all plays of `listeners` (all users or some), given the plays (artists, weeks) to expect of all users.

    Returns:
        a row for each PLAY, by user, then by time: `user` and `track` (rows of the listeners and the tracks), `session`
        (from 0, in order), `started` (ms since the first Monday), `listened` (ms), `lead` (ms between the end of the
        play before and this one; 0 for the first of a session), `probability` of a skip (known when the play starts),
        `skipped`, `liked`, `advertisement` and `purchase` (of premium; both come before this play).
    """
    user, week, track = _plays(rng, listeners, catalogue, rates)
    count, weeks = len(user), rates.shape[1]
    opens = (np.diff(user * weeks + week, prepend=-1) > 0) | (rng.random(count) < SESSION_END)
    purchase, premium = _premium(rng, user, opens, listeners.buyer)
    advertisement = ~opens & ~premium & (rng.random(count) < ADVERTISEMENT)
    probability = _skip_probability(listeners, catalogue, user, track, premium, advertisement)
    skipped = rng.random(count) < probability
    affinity = listeners.affinity[user, catalogue.owner[track]]
    liked = rng.random(count) < sigmoid(listeners.like_base[user] + 0.6 * affinity - 1.0 * skipped)
    duration = catalogue.tracks["duration_ms"].to_numpy()[track]
    listened = np.where(skipped, rng.beta(1.2, 2.5, count) * duration, duration).astype(int).clip(min=1000)
    lead = _leads(rng, opens, advertisement, purchase)
    return pl.DataFrame(
        {
            "user": user,
            "track": track,
            "session": np.cumsum(opens) - 1,
            "started": _start_times(rng, user * weeks + week, week, opens, lead + listened) + lead,
            "listened": listened,
            "lead": lead,
            "probability": probability,
            "skipped": skipped,
            "liked": liked,
            "advertisement": advertisement,
            "purchase": purchase,
        }
    )


def _plays(
    rng: np.random.Generator, listeners: Listeners, catalogue: Catalogue, rates: Floats
) -> tuple[Ints, Ints, Ints]:
    """Draw user, week and track of every play, by user and week. Splitting Poisson counts by user keeps them so."""
    artists, weeks = rates.shape
    counts = rng.poisson(rates * listeners.demand.sum(axis=0)[:, None])
    artist = np.repeat(np.arange(artists), counts.sum(axis=1))
    week = np.repeat(np.tile(np.arange(weeks), artists), counts.ravel())
    # the demand, laid out artist after artist
    ends = len(listeners) * np.arange(1, artists + 1)
    user = _pick(rng, listeners.demand.T.ravel(), ends, artist) % len(listeners)
    ends = np.searchsorted(catalogue.owner, np.arange(artists), side="right")
    track = _pick(rng, track_weights(catalogue), ends, artist)
    # a fraction shuffles the plays within each week
    order = np.argsort(user * weeks + week + rng.random(len(user)), kind="stable")
    return user[order], week[order], track[order]


def track_weights(catalogue: Catalogue) -> Floats:
    """Return how often each track (tracks,) is played relative to the other tracks of its artist."""
    weights: Floats = np.exp(0.06 * catalogue.tracks["popularity"].to_numpy())
    return weights


def _pick(rng: np.random.Generator, weights: Floats, ends: Ints, group: Ints) -> Ints:
    """Draw one item for each entry of `group`, in proportion to the weights of that group's items.

    `weights` (items,) holds group after group; the items of group g end before `ends[g]`. Returns rows of `weights`.
    """
    steps = np.concatenate([[0.0], np.cumsum(weights)])
    low, high = steps[np.concatenate([[0], ends[:-1]])], steps[ends]
    drawn = low[group] + (high - low)[group] * rng.random(len(group))
    # rounding may carry a draw just over the end of its group
    rows: Ints = np.minimum(np.searchsorted(steps, drawn, side="right") - 1, ends[group] - 1)
    return rows


def _premium(rng: np.random.Generator, user: Ints, opens: Bools, buyer: Bools) -> tuple[Bools, Bools]:
    """Draw where premium is bought, once by each buyer who ever plays two tracks in a row; return also what follows."""
    places = np.flatnonzero(~opens)
    counts = np.bincount(user[places], minlength=len(buyer))
    chosen = np.cumsum(counts) - counts + (rng.random(len(buyer)) * counts).astype(int)
    bought = np.full(len(buyer), len(user))
    buys = buyer & (counts > 0)
    bought[buys] = places[chosen[buys]]
    position = np.arange(len(user))
    return position == bought[user], position >= bought[user]


def _skip_probability(
    listeners: Listeners, catalogue: Catalogue, user: Ints, track: Ints, premium: Bools, advertisement: Bools
) -> Floats:
    favourite = listeners.favourite[user] == catalogue.genre[catalogue.owner[track]][:, None]
    traits = skip_traits(catalogue)[track]
    logit = skip_logit(listeners.skip_base[user], listeners.skip_slopes[user], traits, favourite.any(axis=1))
    return sigmoid(logit + SKIP_PREMIUM * premium + SKIP_ADVERTISEMENT * advertisement)


def skip_traits(catalogue: Catalogue) -> Floats:
    """Return danceability, minutes and valence (tracks, 3) of every track, each from its mean."""
    traits: Floats = catalogue.tracks.select("danceability", "duration_ms", "valence").to_numpy() / [1, 60_000, 1]
    traits -= traits.mean(axis=0)
    return traits


def skip_logit(base: Floats, slopes: Floats, traits: Floats, favourite: Bools) -> Floats:
    """Return the logit of a skip without premium and with no advertisement before.

    The arrays broadcast: `base` (…) and `slopes` (…, 3) are of users, `traits` (…, 3) of tracks, and `favourite` (…)
    is whether the user names the genre of the track.
    """
    logit: Floats = base + (slopes * traits).sum(axis=-1) + SKIP_FAVOURITE * favourite
    return logit


def sigmoid(logit: Floats) -> Floats:
    """Return the probability of a logit."""
    return 1.0 / (1.0 + np.exp(-logit))


def _leads(rng: np.random.Generator, opens: Bools, advertisement: Bools, purchase: Bools) -> Ints:
    """Draw the time (ms) from the end of the play before: an advertisement, a purchase, a pause or nothing."""
    count = len(opens)
    pause = np.where(rng.random(count) < PAUSE, rng.integers(1, 5000, count), 0)
    interlude = 1000 * rng.integers(10, 31, count)
    return np.where(opens, 0, np.where(advertisement | purchase, interlude, pause))


def _start_times(rng: np.random.Generator, group: Ints, week: Ints, opens: Bools, slots: Ints) -> Ints:
    """Return the start of every play's slot, ms since the first Monday.

    `group` (plays,) ascends and numbers the (user, week); `opens` marks the first play of a session; `slots` are the
    ms that each play takes. The sessions of a group keep their order, do not overlap and end within the week.
    """
    heads = np.flatnonzero(opens)
    elapsed = np.cumsum(slots) - slots
    spans = np.add.reduceat(slots, heads) + REST
    starts = week[heads] * WEEK + _session_starts(rng, group[heads], spans) - elapsed[heads]
    started: Ints = starts[np.cumsum(opens) - 1] + elapsed
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
