"""Build a state from a log of plays, column by column."""

import numpy as np
import polars as pl

from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.skip.features.attributes import ATTRIBUTES, BINS, SIDED
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.play_log import SESSION as SESSION_KEYS
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.rates import HALF_LIFE, NEVER, RECENT
from pozytywka_cli.families.skip.state import tables
from pozytywka_cli.families.skip.state.catalogue import Catalogue
from pozytywka_cli.families.skip.state.layout import OTHERS, PLAY, SESSIONS, Records, nobody
from pozytywka_cli.families.skip.state.settling import KEPT
from pozytywka_cli.families.skip.state.state import State
from pozytywka_cli.families.skip.state.users import Users


def state(log: PlayLog, parameters: FeatureParameters) -> State:
    """Build the state of all users in the log and its tables; see `State.build`."""
    catalogue = tables.catalogue(log.dataset, parameters)
    known = (log.dataset.purchases["user_id"], log.dataset.users["user_id"], log.users.keys)
    ids = pl.concat(one.cast(pl.Int64) for one in known).drop_nulls().unique().sort().to_numpy()
    users, favourites = records(log, ids, catalogue), tables.favourites(log, ids, catalogue)
    latest_start = int(users["latest_start"].max())
    return State(parameters, catalogue, Users(ids, users), favourites, latest_start)


def records(log: PlayLog, ids: Ints, catalogue: Catalogue) -> Records:
    """Return a record of nobody, and one for each user of the sorted `ids`: (ids + 1,)."""
    users = nobody(len(ids) + 1)
    users["listed"][1 + np.flatnonzero(log.members.has(pl.Series(ids)))] = True
    bought = log.dataset.purchases
    first = log.purchases.rows[:-1]
    users["purchased_at"][1 + np.searchsorted(ids, bought["user_id"].to_numpy()[first])] = (
        bought["purchased_at"].to_physical().to_numpy()[first]
    )
    if len(log.history):
        user = 1 + np.searchsorted(ids, log.history["user_id"].to_numpy())
        _fill(users, user, _plays(log, catalogue), catalogue)
    return users


def _plays(log: PlayLog, catalogue: Catalogue) -> Records:
    """Return the records of all plays, in the order of the history."""
    history, plays = log.history, np.empty(len(log.history), PLAY)
    plays["session"], plays["started_at"] = history["session_id"], history["started_at"].to_physical()
    for name in ("known_at", "liked_at"):
        plays[name] = history[name].to_physical().fill_null(NEVER)
    plays["liked_at"][~history["liked"].to_numpy()] = NEVER
    plays["track"], unknown = history["track"], np.flatnonzero(history["track"].to_numpy() == len(catalogue.ids))
    plays["track"][unknown] = [catalogue.number(one) for one in log.plays["track_id"].gather(unknown)]
    for name, column in (("skipped", "skipped"), ("premium", "premium"), ("advertised", "advertisement_before")):
        plays[name] = history[column]
    return plays


def _fill(users: Records, user: Ints, plays: Records, catalogue: Catalogue) -> None:
    """Fill the records from plays by user and start; `user` are their rows: (plays,)."""
    users["latest_start"][user] = plays["started_at"]  # the last one of each user stays
    known = plays["known_at"] < users["latest_start"][user]
    latest = _sessions(users, user, plays, known)
    others = np.flatnonzero(~known & (plays["known_at"] < NEVER) & ~latest)
    # of more than there is room for, the ones that started first are settled as they stand
    left = np.searchsorted(user[others], user[others], side="right") - np.arange(len(others))
    known[others[left > OTHERS]] = True
    others = others[left <= OTHERS]
    place = np.arange(len(others)) - np.searchsorted(user[others], user[others])
    users["plays"][user[others], place] = plays[others]
    settled = np.flatnonzero(known)
    order = settled[np.lexsort((plays["known_at"][settled], user[settled]))]
    _count(users, user[order], plays[order], catalogue)
    _remember(users, user[order], plays[order])
    liked = known & ~latest & (plays["liked_at"] < NEVER)
    users["likes"] = np.bincount(user[liked], minlength=len(users))


def _sessions(users: Records, user: Ints, plays: Records, known: Flags) -> Flags:
    """Fill the latest sessions of each user, and return which plays are the latest ones of these sessions."""
    names = ("started_at", "skipped", "advertised")
    frame = pl.DataFrame({"user_id": user, "session_id": plays["session"], "known": known}).with_row_index("row")
    frame = frame.with_columns(pl.Series(name, plays[name]) for name in names)
    sessions = _latest(frame)
    rows, place, last = (sessions[name].to_numpy() for name in ("user_id", "place", "row"))
    for name in users["sessions"].dtype.names or ():
        users["sessions"][name][rows, place] = sessions[name]
    users["plays"][rows, OTHERS + place] = plays[last]
    latest = np.zeros(len(plays), np.bool_)
    latest[last] = True
    return latest


def _latest(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the latest sessions of each user, with their place, the row of their latest play, and their sums."""
    kept = (
        frame.group_by(SESSION_KEYS)
        .agg(pl.col("row", "started_at").max())
        .sort("user_id", "started_at", "session_id", descending=[False, True, True])
        .select(*SESSION_KEYS, "row", place=pl.int_range(pl.len()).over("user_id"))
        .filter(pl.col("place") < SESSIONS)
    )
    start, earlier = pl.col("started_at"), pl.col("started_at") < pl.col("started_at").max()
    sums = (
        frame.join(kept, on=SESSION_KEYS, how="semi")  # first: sums over all sessions take much longer
        .group_by(SESSION_KEYS)
        .agg(
            first=start.min(),
            plays=pl.len(),
            advertisements=pl.col("advertised").sum(),
            earlier=earlier.sum(),
            earlier_advertisements=(earlier & pl.col("advertised")).sum(),
            known=pl.col("known").sum(),
            skips=(pl.col("known") & pl.col("skipped")).sum(),
        )
    )
    return kept.join(sums, on=SESSION_KEYS)


def _count(users: Records, user: Ints, plays: Records, catalogue: Catalogue) -> None:
    """Fill the sums of settled plays."""
    track, skipped = catalogue.rows(plays["track"]), plays["skipped"]
    for number in range(len(ATTRIBUTES)):
        bins = catalogue.codes[:, number].astype(np.int64)[track]
        if number < len(SIDED):
            kinds = 2 * (2 * bins + plays["premium"]) + skipped
            users["sided"][:, number] = _by_kind(user, kinds, len(users), (BINS + 1, 2, 2))
        else:  # the last bin of 13 are plays with an unknown attribute, which are left out
            pairs = _by_kind(user, 2 * (bins // 2) + skipped, len(users), (BINS // 2 + 1, 2))
            users["unsided"][:, number - len(SIDED)] = pairs[:, :-1]
    # sums of whole numbers below 2^53 are exact as doubles
    for name, values, weight in (("products", catalogue.products, 1), ("skipped_steps", catalogue.steps, skipped)):
        for number in range(values.shape[1]):
            users[name][:, number] = np.bincount(user, values[:, number][track] * weight, len(users))
    users["advertisements"] = np.bincount(user, plays["advertised"], len(users))


def _by_kind(user: Ints, kinds: Ints, users: int, shape: tuple[int, ...]) -> Ints:
    """Return how many plays each user has of each kind: (users, *shape)."""
    number = int(np.prod(shape))
    return np.bincount(user * number + kinds, minlength=users * number).reshape(users, *shape)


def _remember(users: Records, user: Ints, plays: Records) -> None:
    """Fill what depends on the order of settled plays, which are by user and by the time at which they became known."""
    sizes = np.bincount(user, minlength=len(users))
    ends = sizes.cumsum()
    (some,) = np.nonzero(sizes)
    last = ends[some] - 1
    frame = pl.DataFrame({"skip": plays["skipped"].astype(np.float64), "user": user})
    mean = frame.select(pl.col("skip").ewm_mean(half_life=HALF_LIFE).over("user")).to_series().to_numpy()
    users["mean"][some], users["weight"][some] = mean[last], _weights(int(sizes.max(initial=0)))[sizes[some]]
    for back in range(RECENT):
        has = sizes[some] > back
        users["recent"][some[has]] |= plays["skipped"][last[has] - back].astype(np.uint8) << back
    users["previous_session"][some] = plays["session"][last]
    users["previous_liked_at"][some] = plays["liked_at"][last]


def _weights(most: int) -> Floats:
    """Return the weight of the moving average after each number of plays up to `most`: (most + 1,)."""
    weights = np.zeros(most + 1)
    for number in range(most):
        weights[number + 1] = weights[number] * KEPT + 1
    return weights
