"""Predict how likely users are to skip tracks, and explain it by the inputs with the largest effect."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Self

import msgspec
import numpy as np
import polars as pl

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.families.family import loading
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.readers import Inputs, PastRate, Reader, ReadInputs
from pozytywka_cli.families.skip.models.model import Baseline, Forest, Model
from pozytywka_cli.families.skip.models.networks import Networks
from pozytywka_cli.families.skip.state.inputs import inputs, parameters, reads_plays, requests_of
from pozytywka_cli.families.skip.state.state import State

KINDS: dict[str, type[Model]] = {"constant": Baseline, "user-rate": Baseline, "forest": Forest}  # or networks
MOST = 3  # inputs of an explanation
RECENT = timedelta(days=28)
WORTHWHILE = 100  # requests of now that take longer from the log than from a state that has to be built first
MOMENT = pl.Datetime("us", "UTC")


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
class SkipPredictor:
    """A model with the log, opened once; a request reads only the plays of its own user.

    models: the model and the fallback for unknown tracks, each with the function that computes its inputs
    ended: when all plays of each user of `log.users` have ended, or started if no end is known; last the latest start
    asked: how many requests without `at` there were so far
    """

    Request: ClassVar[type[msgspec.Struct]] = SkipRequest
    log: PlayLog
    models: list[tuple[Model, ReadInputs]]
    ended: pl.Series
    asked: int = 0

    @classmethod
    def open(cls, version: Version, dataset: Dataset | None) -> Self:
        """Load a checked version, and prepare the log.

        Raises:
            UsageError: there is no dataset.
            ArtifactError: a file holds something else than a model of the variant.
        """
        if dataset is None:
            raise UsageError("skip predicts from plays, and there is no data", "Name a data folder with --data-dir.")
        with loading(version, FAMILY.variants):
            model = KINDS.get(version.manifest.variant, Networks).load(version)
        log = PlayLog.of(dataset)
        models = [model, Baseline("user-rate", PastRate(model.skip_rate))]
        plays = log.history.select("user_id", ended=pl.max_horizontal("started_at", "known_at"))
        ended = plays.group_by("user_id", maintain_order=True).agg(pl.col("ended").max())["ended"]
        ended = ended.extend_constant(log.history["started_at"].max(), 1)
        return cls(log, [(one, one.reader.open(log)) for one in models], ended)

    def default_requests(self) -> pl.DataFrame:
        """Return every pair of user and track that was played in the last 28 days of the log, sorted."""
        recent = self.log.plays.filter(pl.col("started_at") > pl.col("started_at").max() - RECENT)
        return recent.select("user_id", "track_id").unique().sort("user_id", "track_id")

    def predict(self, requests: pl.DataFrame) -> pl.DataFrame:
        """Predict the probability that each request's user skips its track, as the next play after what is known then.

        Returns:
            user_id, track_id, at, probability, played_to_end (whether the probability is at most the share of all plays
            that were skipped), reason and method, in the order of the requests. The reason is "model", "unknown user"
            (the share of all plays) or "unknown track" (not in the tracks table: the user's skip rate so far); the
            method is the version's variant.

        Raises:
            RefusedError: a column is missing, or `at` where the log has no plays.
        """
        return self._answers(requests, explain=False)

    def explain(self, requests: pl.DataFrame) -> pl.DataFrame:
        """Return predictions with `because`, the inputs with the largest effect (see `because`)."""
        return self._answers(requests, explain=True)

    def _answers(self, requests: pl.DataFrame, *, explain: bool) -> pl.DataFrame:
        model, _ = self.models[0]
        rows = self.candidates(requests)
        current = requests["at"].is_null() if "at" in requests.columns else pl.repeat(True, len(rows), eager=True)
        self.asked += int(current.sum())
        has_track, has_user = self.log.tracks.has(rows["track_id"]), model.reader.known(rows, self.log)
        reason = np.select([~has_track, ~has_user], ["unknown track", "unknown user"], "model")
        numbered = rows.with_columns(
            current.alias("current"), reason=pl.Series(reason, dtype=pl.String)
        ).with_row_index("row")
        parts = []
        for (one, read), mask in zip(self.models, (has_track, ~has_track), strict=True):
            if mask.any() or one is model:
                part = numbered.filter(mask)
                read_inputs = self._inputs(one.reader, read, part)
                part = part.with_columns(probability=one.predict_proba(part, self.log, read_inputs))
                parts.append(part.with_columns(because=because(one, part, self.log, read_inputs)) if explain else part)
        played_to_end, method = pl.col("probability") <= model.skip_rate, pl.lit(model.variant)
        answers = pl.concat(parts).sort("row").with_columns(played_to_end=played_to_end, method=method)
        names = ("user_id", "track_id", "at", "probability", "played_to_end", "reason", "method")
        return answers.rename({"started_at": "at"}).select(*names, *(["because"] if explain else []))

    def _inputs(self, reader: Reader, read: ReadInputs, rows: pl.DataFrame) -> Inputs:
        """Return a model's inputs, of rows without `at` from the state if it holds them: the same to the last bit."""
        if self.asked < WORTHWHILE or not reads_plays(reader) or not rows["current"].any():
            return read(rows)
        requests = requests_of(rows, self.state, self.log)
        held = rows["current"].to_numpy() & self.state.holds(requests)
        if held.all():
            return inputs(reader, self.state, requests)
        places = [np.flatnonzero(held), np.flatnonzero(~held)]
        parts = [inputs(reader, self.state, requests.some(places[0])), read(rows[places[1]])]
        order = np.argsort(np.concatenate(places))
        return tuple(np.concatenate(each)[order] for each in zip(*parts, strict=True))

    @cached_property
    def state(self) -> State:
        """The sums over the plays of every user; built when it is first read."""
        return State.build(self.log, parameters(self.models[0][0].reader, self.log))

    def candidates(self, requests: pl.DataFrame) -> pl.DataFrame:
        """Return requests as plays that start, see `Reader`, in the order of the requests; errors as in `predict`."""
        for column in ("user_id", "track_id"):
            if column not in requests.columns:
                raise RefusedError(f"the requests have no column {column}", "Give user_id and track_id for each one.")
        optional = {name: pl.col(name) if name in requests.columns else pl.lit(None) for name in ("at", "session_id")}
        rows = requests.select(
            pl.col("user_id").cast(pl.Int64),
            optional["session_id"].cast(pl.Int64).alias("session_id"),
            pl.col("track_id").cast(pl.String),
            optional["at"].cast(MOMENT).alias("started_at"),
            advertisement_before=pl.lit(False),
        )
        if self.log.plays.is_empty() and rows["started_at"].has_nulls():
            raise RefusedError("there are no plays that a request could follow", "Give `at` for each request.")
        next_start = self.ended.gather(self.log.users.find(rows["user_id"]))
        return rows.with_columns(pl.col("started_at").fill_null(next_start))


def because(model: Model, rows: pl.DataFrame, log: PlayLog, inputs: Inputs) -> pl.Series:
    """Return the three inputs with the largest effect on each row's probability, as lists of input, value, effect.

    The `effect` is the probability minus what it would be with that input alone at its training mean (for genres: with
    unknown genres), which takes inputs one at a time (Robnik-Šikonja & Kononenko, 2008). The `value` is the input's
    own, or null for genres. Inputs without an effect are left out; the largest effect comes first.
    """
    unknown = np.full(len(rows), np.nan)
    probability = model.predict_proba(rows, log, inputs)
    names, values, effects = [""] * MOST, [unknown] * MOST, [np.zeros(len(rows))] * MOST  # without an effect: left out
    for name, value, without in model.reader.without(inputs):
        names.append(name)
        values.append(unknown if value is None else value)
        effects.append(probability - model.predict_proba(rows, log, without))
    strongest = np.argsort(-np.abs(effects), axis=0, kind="stable")[:MOST]
    ranks: list[pl.Series] = []
    for rank in strongest:
        value, effect = (np.take_along_axis(np.array(each), rank[None], axis=0)[0] for each in (values, effects))
        columns = {"input": np.array(names)[rank], "value": pl.Series(value).fill_nan(None), "effect": effect}
        ranks.append(pl.DataFrame(columns).to_struct(str(len(ranks))))
    with_effect = pl.element().filter(pl.element().struct.field("effect") != 0)
    return pl.select(because=pl.concat_list(ranks).list.eval(with_effect)).to_series()
