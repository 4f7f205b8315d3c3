"""What users play, in which sessions, and what they do about it."""

from dataclasses import dataclass

import numpy as np

from pozytywka_cli.dataset.sample.catalogue import Catalogue
from pozytywka_cli.dataset.sample.listeners import Listeners
from pozytywka_cli.dataset.sample.random_draws import Bools, Floats, Ints, pick, sigmoid
from pozytywka_cli.dataset.sample.session_times import start_times

SESSION_END = 1 / 16  # probability after each play; the last play of a user's week ends a session anyhow
ADVERTISEMENT = 0.3  # probability between two plays without premium
PAUSE = 0.2  # probability that the next play does not follow at once
SKIP_PREMIUM, SKIP_ADVERTISEMENT, SKIP_FAVOURITE = 0.8, 0.3, -0.4  # logits


@dataclass(frozen=True)
class Plays:
    """One entry for each PLAY: by user, then by time."""

    user: Ints  # row of the listeners
    track: Ints  # row of the tracks
    session: Ints  # from 0, in order
    started: Ints  # ms since the first Monday
    listened: Ints  # ms
    lead: Ints  # ms between the end of the play before and this one; 0 for the first of a session
    probability: Floats  # of a skip, known when the play starts
    skipped: Bools
    liked: Bools
    advertisement: Bools  # comes before this play
    purchase: Bools  # of premium, comes before this play


def listen(rng: np.random.Generator, listeners: Listeners, catalogue: Catalogue, rates: Floats) -> Plays:
    """Draw all plays of `listeners` (all users or some), given the plays (artists, weeks) to expect of all users."""
    user, week, track = _plays(rng, listeners, catalogue, rates)
    count, weeks = len(user), rates.shape[1]
    opens = (np.diff(user * weeks + week, prepend=-1) > 0) | (rng.random(count) < SESSION_END)
    purchase, premium = _premium(rng, user, opens, listeners.buyer)
    advertisement = ~opens & ~premium & (rng.random(count) < ADVERTISEMENT)
    probability = _skip_probability(listeners, catalogue, user, track, premium, advertisement)
    skipped = rng.random(count) < probability
    liked = rng.random(count) < _like_probability(listeners, catalogue, user, track, skipped)
    duration = catalogue.tracks["duration_ms"].to_numpy()[track]
    listened = np.where(skipped, rng.beta(1.2, 2.5, count) * duration, duration).astype(int).clip(min=1000)
    lead = _leads(rng, opens, advertisement, purchase)
    return Plays(
        user=user,
        track=track,
        session=np.cumsum(opens) - 1,
        started=start_times(rng, user * weeks + week, week, opens, lead + listened) + lead,
        listened=listened,
        lead=lead,
        probability=probability,
        skipped=skipped,
        liked=liked,
        advertisement=advertisement,
        purchase=purchase,
    )


def _plays(
    rng: np.random.Generator, listeners: Listeners, catalogue: Catalogue, rates: Floats
) -> tuple[Ints, Ints, Ints]:
    """User, week and track of every play, by user and week. Splitting Poisson counts by user keeps them Poisson."""
    artists, weeks = rates.shape
    counts = rng.poisson(rates * listeners.demand.sum(axis=0)[:, None])
    artist = np.repeat(np.arange(artists), counts.sum(axis=1))
    week = np.repeat(np.tile(np.arange(weeks), artists), counts.ravel())
    # the demand, laid out artist after artist
    ends = len(listeners) * np.arange(1, artists + 1)
    user = pick(rng, listeners.demand.T.ravel(), ends, artist) % len(listeners)
    ends = np.searchsorted(catalogue.owner, np.arange(artists), side="right")
    track = pick(rng, np.exp(0.06 * catalogue.tracks["popularity"].to_numpy()), ends, artist)
    # a fraction shuffles the plays within each week
    order = np.argsort(user * weeks + week + rng.random(len(user)), kind="stable")
    return user[order], week[order], track[order]


def _premium(rng: np.random.Generator, user: Ints, opens: Bools, buyer: Bools) -> tuple[Bools, Bools]:
    """Where premium is bought, once by each buyer who ever plays two tracks in a row, and which plays come after it."""
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
    traits = catalogue.tracks.select("danceability", "duration_ms", "valence").to_numpy() / [1, 60_000, 1]
    traits -= traits.mean(axis=0)
    favourite = listeners.favourite[user] == catalogue.genre[catalogue.owner[track]][:, None]
    return sigmoid(
        listeners.skip_base[user]
        + (listeners.skip_slopes[user] * traits[track]).sum(axis=1)
        + SKIP_FAVOURITE * favourite.any(axis=1)
        + SKIP_PREMIUM * premium
        + SKIP_ADVERTISEMENT * advertisement
    )


def _like_probability(listeners: Listeners, catalogue: Catalogue, user: Ints, track: Ints, skipped: Bools) -> Floats:
    affinity = listeners.affinity[user, catalogue.owner[track]]
    return sigmoid(listeners.like_base[user] + 0.6 * affinity - 1.0 * skipped)


def _leads(rng: np.random.Generator, opens: Bools, advertisement: Bools, purchase: Bools) -> Ints:
    """Time (ms) from the end of the play before to this one: an advertisement, a purchase, a pause or nothing."""
    count = len(opens)
    pause = np.where(rng.random(count) < PAUSE, rng.integers(1, 5000, count), 0)
    interlude = 1000 * rng.integers(10, 31, count)
    return np.where(opens, 0, np.where(advertisement | purchase, interlude, pause))
