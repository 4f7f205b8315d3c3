"""The features of a play, from what is known when its track starts: the same code for training and for prediction."""

from typing import Annotated, Any, Self

import msgspec
import numpy as np
import polars as pl
from msgspec import Meta
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.families.skip.features.attributes import (
    ATTRIBUTES,
    SIDED,
    attribute_rates,
    codes,
    edges,
    slope_effect,
    steps,
)
from pozytywka_cli.families.skip.features.history import USER, Past, known_past, likes, rate, session_past
from pozytywka_cli.families.skip.features.play_log import SESSION, Index, PlayLog
from pozytywka_cli.families.skip.features.stumps import STRENGTH, Prior, stump_average

USER_PRIOR = 5.0  # plays at the skip rate of the training plays
RECENT_PRIOR = 2.0
SESSION_PRIOR = 2.0  # plays at the user's own rate
HALF_LIFE, RECENT = 15.0, 8  # plays

SkipRate = Annotated[float, Meta(gt=0, lt=1)]  # of training plays, which have both outcomes


class FeatureParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the features take from training: rates over all plays, and each attribute's quantiles in the tracks table.

    smoothing: a factor on the plays of every prior
    """

    skip_rate: SkipRate
    like_rate: float
    advertisement_rate: float
    edges: dict[str, list[float]]
    smoothing: float = 1.0

    def __post_init__(self) -> None:
        """Check that there are quantiles of every attribute."""
        if self.edges.keys() != set(ATTRIBUTES):
            raise ValueError("`edges` are not those of the attributes")

    @classmethod
    def fit(cls, plays: pl.DataFrame, tracks: pl.DataFrame, smoothing: float = 1.0) -> Self:
        """Compute the rates of `plays`, and the quantiles of `tracks`, whoever plays them."""
        skip_rate, like_rate, advertised = plays.select("skipped", "liked", "advertisement_before").mean().row(0)
        return cls(skip_rate, like_rate, advertised, {name: edges(tracks[name]) for name in ATTRIBUTES}, smoothing)


class PlayFeatures:
    """Computes the features of plays and candidates; what depends on the tables alone is computed once."""

    def __init__(self, log: PlayLog, parameters: FeatureParameters) -> None:
        self.log, self.parameters = log, parameters
        tracks = log.dataset.tracks.select("id_artist", *ATTRIBUTES)
        tracks = tracks.vstack(tracks.clear(1))  # a row of nulls for unknown tracks
        self._attributes = tracks.select(ATTRIBUTES)
        self._codes = {name: codes(self._attributes[name], parameters.edges[name]) for name in ATTRIBUTES}
        self._steps = [steps(self._attributes[name], parameters.edges[name]) for name in SIDED]
        main_genres = log.dataset.artists["genres"].list.first().extend_constant(None, 1)
        self._main_genre = main_genres.gather(Index.of(log.dataset.artists["id"]).find(tracks["id_artist"]))
        self._favourites = log.dataset.users["favourite_genres"].extend_constant(None, 1)

    def __call__(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the features of each row (Float32, in the order of the rows), from what was known when it started.

        Only plays whose outcome was known, and purchases made, by `started_at` count; rows, which are plays or
        candidates (see `Reader`), do not see each other. Rates are in 0..1, smoothed towards a prior; counts are
        log(1 + n); track attributes are as they are, null where unknown.
        """
        rows, log = self.log.locate(rows), self.log.history_of(rows["user_id"])
        session = session_past(log, rows)
        past = known_past(log, rows, session, USER)
        user = _user(log, rows, past, self.parameters)
        own_rate, smoothing = user["user_rate"], self.parameters.smoothing
        tracks = [frame["track"].to_numpy() for frame in (log, rows)]
        bins = {name: (values[tracks[0]], values[tracks[1]]) for name, values in self._codes.items()}
        distances = [(values[tracks[0]], values[tracks[1]]) for values in self._steps]
        premium = log["premium"].to_numpy(), rows["premium"].to_numpy()
        prior = Prior(self.parameters.skip_rate, smoothing * STRENGTH, int(past.size.max(initial=0)))
        columns: dict[str, NDArray[Any]] = {
            **user,
            **attribute_rates(past, bins, own_rate, smoothing),
            "stump_average": stump_average(past, {name: bins[name] for name in SIDED}, premium, prior),
            "slope_effect": slope_effect(past, distances, own_rate, smoothing),
            **_moment(log, rows, session, own_rate, smoothing * SESSION_PRIOR),
            "favourite_genre": self._favourite(rows),
        }
        return pl.DataFrame({name: values.astype(np.float32) for name, values in columns.items()}).with_columns(
            self._attributes[tracks[1]].cast(pl.Float32)
        )

    def _favourite(self, rows: pl.DataFrame) -> Flags:
        """Return whether the main genre of each row's artist, the first one, is a favourite of its user: (rows,)."""
        lists = self._favourites.gather(self.log.members.find(rows["user_id"])).alias("favourites")
        genres = self._main_genre.gather(rows["track"]).alias("genre")
        favourite = pl.col("favourites").list.contains(pl.col("genre")) & pl.col("genre").is_not_null()
        return pl.select(lists, genres).select(favourite.fill_null(False)).to_series().to_numpy()


def user_rate(rows: pl.DataFrame, log: PlayLog, skip_rate: float) -> Floats:
    """Return the share of known plays of each row's user that were skipped, with 5 plays at `skip_rate`: (rows,)."""
    plays = log.history_of(rows["user_id"])
    past = known_past(plays, rows, session_past(plays, rows), USER)
    return rate(past.skips(), past.size, USER_PRIOR, skip_rate)


def _user(log: pl.DataFrame, rows: pl.DataFrame, past: Past, parameters: FeatureParameters) -> dict[str, Floats]:
    premium, advertised = (log[name].to_numpy() for name in ("premium", "advertisement_before"))
    liked, latest_liked = likes(log, rows, past)
    size, recent = past.size, np.minimum(past.size, RECENT)
    prior, recent_prior = parameters.smoothing * USER_PRIOR, parameters.smoothing * RECENT_PRIOR
    now = rows["premium"].to_numpy()
    same, skips = (np.where(now, counted(premium), counted(~premium)) for counted in (past.count, past.skips))
    users = log["user_id"].to_numpy()
    return {
        "user_rate": rate(past.skips(), size, prior, parameters.skip_rate),
        "user_plays": np.log1p(size),
        "like_rate": rate(liked, size, prior, parameters.like_rate),
        "rate_in_premium_state": rate(skips, same, prior, parameters.skip_rate),
        "moving_average": past.moving_average(users, start=parameters.skip_rate, half_life=HALF_LIFE),
        "last_8": rate(past.skips(last=RECENT), recent, recent_prior, parameters.skip_rate),
        "advertisement_rate": rate(past.count(advertised), size, prior, parameters.advertisement_rate),
        "previous_skipped": np.where(size > 0, past.skips(last=1), parameters.skip_rate),
        "previous_liked": np.where(size > 0, latest_liked, parameters.like_rate),
    }


def _moment(
    log: pl.DataFrame, rows: pl.DataFrame, past: Past, own_rate: Floats, prior: float
) -> dict[str, NDArray[Any]]:
    """Return what happened in the session so far, whose rate starts from `prior` plays at `own_rate`, and the time."""
    ended = known_past(log, rows, past, SESSION)
    advertised = rows["advertisement_before"].to_numpy()
    starts = np.append(log["started_at"].to_physical().to_numpy()[past.order], 0)
    now, hours = rows["started_at"].to_physical().to_numpy(), rows["started_at"].dt.hour().to_numpy()
    elapsed = np.where(past.size > 0, now - starts[np.where(past.size > 0, past.first, -1)], 0)
    hour = 2 * np.pi / 24 * np.arange(24)
    return {
        "session_rate": rate(ended.skips(), ended.size, prior, own_rate),
        "session_advertisements": np.log1p(past.count(log["advertisement_before"].to_numpy()) + advertised),
        "session_position": np.log1p(past.size),
        "session_minutes": np.log1p(elapsed / 60e6),
        "hour_sine": np.sin(hour)[hours],
        "hour_cosine": np.cos(hour)[hours],
        "weekend": (rows["started_at"].dt.weekday() > 5).to_numpy(),
        "advertisement_before": advertised,
        "premium": rows["premium"].to_numpy(),
    }
