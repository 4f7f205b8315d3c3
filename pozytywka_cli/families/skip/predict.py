"""How likely is each of these users to skip each of these tracks?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec
import polars as pl

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.skip.explain import because
from pozytywka_cli.families.skip.features.history import history
from pozytywka_cli.families.skip.models.baselines import UserRate
from pozytywka_cli.families.skip.models.ensemble import load

RECENT = timedelta(days=28)
MOMENT = pl.Datetime("us", "UTC")
USER, TRACK = "unknown user", "unknown track"


class Request(msgspec.Struct):
    """A user and a track that may be the user's next play."""

    user_id: int
    track_id: str
    at: datetime | None = None
    session_id: int | None = None


@dataclass(frozen=True)
class SkipPredictor:
    """A version with the log."""

    version: Version
    dataset: Dataset
    Request: ClassVar[type[msgspec.Struct]] = Request

    @classmethod
    def open(cls, version: Version, dataset: Dataset | None) -> "SkipPredictor":
        assert dataset is not None
        return cls(version, dataset)

    def predict(self, requests: pl.DataFrame) -> pl.DataFrame:
        return predict(self.version, self.dataset, requests)

    def default_requests(self) -> pl.DataFrame:
        return default_pairs(self.dataset)


def default_pairs(dataset: Dataset) -> pl.DataFrame:
    """Every pair of user and track that was played in the last 28 days of the log, sorted."""
    latest = pl.col("started_at").max()
    recent = dataset.plays.filter(pl.col("started_at") > latest - RECENT)
    return recent.select("user_id", "track_id").unique().sort("user_id", "track_id")


def predict(version: Version, dataset: Dataset, pairs: pl.DataFrame, *, explain: bool = False) -> pl.DataFrame:
    """The probability that each pair's user skips its track, as the next play from what the log knew at that moment.

    Args:
        version: of a skip model.
        dataset: the log, which is not changed: candidates do not see each other.
        pairs: user_id, track_id, optionally `at` (UTC; null: when the user's last known play has ended) and
            `session_id` (null: a new session).
        explain: say which inputs moved each probability (see `explain.because`).

    Returns:
        user_id, track_id, at, probability, played_to_end (the probability is not above the rate of all skips), reason
        and, explained, `because`; in the order given. The reason is "model", or "unknown user" (the model can know
        nothing of the user: the rate of all skips), or "unknown track" (not in the tracks table: the user's running
        skip rate).

    Raises:
        RefusedError: `pairs` lack a column, or say of no moment while the log has no plays.
    """
    asked, model = candidates(dataset, pairs), load(version)
    known_track = asked["track_id"].is_in(dataset.tracks["id"].implode()).fill_null(False)
    known_user = pl.Series(model.known(asked, dataset))
    reason = pl.when(~known_track).then(pl.lit(TRACK)).when(~known_user).then(pl.lit(USER))
    rows = asked.with_columns(reason=reason.otherwise(pl.lit("model"))).with_row_index("row")
    answers = []
    for one, its in ((model, pl.col("reason") != TRACK), (UserRate(model.skip_rate), pl.col("reason") == TRACK)):
        some = rows.filter(its)
        told = some.with_columns(probability=one.predict_proba(some, dataset))
        answers.append(told.with_columns(because=because(one, some, dataset)) if explain else told)
    return (
        pl.concat(answers)
        .sort("row")
        .select(
            "user_id",
            "track_id",
            pl.col("started_at").alias("at"),
            "probability",
            pl.col("probability").le(model.skip_rate).alias("played_to_end"),
            "reason",
            *(["because"] if explain else []),
        )
    )


def candidates(dataset: Dataset, pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs as plays that start: user_id, session_id, track_id, started_at, advertisement_before; in the order given.

    Raises:
        RefusedError: `pairs` lack a column, or say of no moment while the log has no plays.
    """
    for column in ("user_id", "track_id"):
        if column not in pairs.columns:
            raise RefusedError(f"the pairs have no column {column}", "Give user_id and track_id for every pair.")
    given = {"session_id": pl.lit(None), "at": pl.lit(None)} | {name: pl.col(name) for name in pairs.columns}
    wanted = pairs.select(
        pl.col("user_id").cast(pl.Int64),
        given["session_id"].cast(pl.Int64).alias("session_id"),
        pl.col("track_id").cast(pl.String),
        given["at"].cast(MOMENT).alias("at"),
        advertisement_before=pl.lit(False),
    )
    if dataset.plays.is_empty() and wanted["at"].has_nulls():
        raise RefusedError("there are no plays after which a pair could come", "Give `at` for every pair.")
    latest = pl.coalesce("at", "ended", pl.lit(dataset.plays["started_at"].max(), MOMENT)).alias("started_at")
    return wanted.join(_ends(dataset), on="user_id", how="left", maintain_order="left").select(
        "user_id", "session_id", "track_id", latest, "advertisement_before"
    )


def _ends(dataset: Dataset) -> pl.DataFrame:
    """When each user's plays have all ended: user_id, ended; a play whose end nobody knows counts by its start."""
    log = history(dataset.plays, dataset.tracks)
    ended = log.select("user_id", ended=pl.max_horizontal("started_at", "known_at"))
    return ended.group_by("user_id").agg(pl.col("ended").max())
