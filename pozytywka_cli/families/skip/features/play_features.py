"""The features of a play, from what is known when its track starts: the same code for training and for prediction."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.families.skip.features.attribute_rates import attribute_rates, codes, slope_effect, steps
from pozytywka_cli.families.skip.features.attributes import ATTRIBUTES, SIDED
from pozytywka_cli.families.skip.features.history import USER, Past, known_past, likes, session_past
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.play_log import SESSION, Index, PlayLog
from pozytywka_cli.families.skip.features.rates import RECENT, rate
from pozytywka_cli.families.skip.features.stumps import STRENGTH, Prior, stump_average
from pozytywka_cli.families.skip.features.sums import USER_PRIOR, SessionSums, UserSums, time_of_week


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
        user = _user(log, rows, past, self.parameters).features(self.parameters)
        own_rate, smoothing = user["user_rate"], self.parameters.smoothing
        tracks = [frame["track"].to_numpy() for frame in (log, rows)]
        bins = {name: (values[tracks[0]], values[tracks[1]]) for name, values in self._codes.items()}
        distances = [(values[tracks[0]], values[tracks[1]]) for values in self._steps]
        premium = log["premium"].to_numpy(), rows["premium"].to_numpy()
        advertised = rows["advertisement_before"].to_numpy()
        prior = Prior(self.parameters.skip_rate, smoothing * STRENGTH, int(past.size.max(initial=0)))
        columns: dict[str, NDArray[Any]] = {
            **user,
            **attribute_rates(past, bins, own_rate, smoothing),
            "stump_average": stump_average(past, {name: bins[name] for name in SIDED}, premium, prior),
            "slope_effect": slope_effect(past, distances, own_rate, smoothing),
            **_session(log, rows, session).features(own_rate, smoothing, advertised),
            **time_of_week(rows["started_at"].to_physical().to_numpy()),
            "advertisement_before": advertised,
            "premium": premium[1],
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


def _user(log: pl.DataFrame, rows: pl.DataFrame, past: Past, parameters: FeatureParameters) -> UserSums:
    premium, advertised = (log[name].to_numpy() for name in ("premium", "advertisement_before"))
    liked, latest_liked = likes(log, rows, past)
    now, users = rows["premium"].to_numpy(), log["user_id"].to_numpy()
    same, skips = (np.where(now, counted(premium), counted(~premium)) for counted in (past.count, past.skips))
    return UserSums(
        plays=past.size,
        skips=past.skips(),
        liked=liked,
        advertised=past.count(advertised),
        plays_in_state=same,
        skips_in_state=skips,
        average=past.moving_average(users, start=parameters.skip_rate),
        recent_skips=past.skips(last=RECENT),
        previous_skipped=past.skips(last=1),
        previous_liked=latest_liked,
    )


def _session(log: pl.DataFrame, rows: pl.DataFrame, past: Past) -> SessionSums:
    ended = known_past(log, rows, past, SESSION)
    starts = np.append(log["started_at"].to_physical().to_numpy()[past.order], 0)
    now = rows["started_at"].to_physical().to_numpy()
    return SessionSums(
        plays=past.size,
        advertised=past.count(log["advertisement_before"].to_numpy()),
        known=ended.size,
        skips=ended.skips(),
        elapsed=np.where(past.size > 0, now - starts[np.where(past.size > 0, past.first, -1)], 0),
    )
