"""Predict how likely users are to skip tracks, and explain it by the inputs with the largest effect."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import ClassVar, Self

import msgspec
import numpy as np
import polars as pl

from pozytywka_cli.artifacts import Version, prepared
from pozytywka_cli.artifacts.fingerprint import source_digest
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import ArtifactError, RefusedError, UsageError
from pozytywka_cli.evaluation import Flags
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.explanation import because
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.readers import Inputs, ReadInputs
from pozytywka_cli.families.skip.models import kinds
from pozytywka_cli.families.skip.models.model import Model
from pozytywka_cli.families.skip.online import SkipRequest
from pozytywka_cli.families.skip.state import files
from pozytywka_cli.families.skip.state.inputs import inputs, parameters, reads_plays, requests_of, users_of
from pozytywka_cli.families.skip.state.state import State

RECENT = timedelta(days=28)
WORTHWHILE = 100  # requests of now that take longer from the log than from a state that has to be built first
MOMENT = pl.Datetime("us", "UTC")


@dataclass
class SkipPredictor:
    """A model with the log, opened once; a request reads only the plays of its own user.

    Requests without `at` are answered from the state of all users, to the last bit as from the log: at once where it
    is prepared, else as soon as there were so many of them that building it takes less time. The log is indexed when
    it is first needed.

    model, fallback: the model, and the one for unknown tracks
    stored: the state that was prepared from the same data by the same code, if any
    asked: how many requests without `at` there were so far
    """

    Request: ClassVar[type[msgspec.Struct]] = SkipRequest
    log: PlayLog
    model: Model
    fallback: Model
    stored: State | None = None
    asked: int = 0
    _opened: dict[str, ReadInputs] = field(default_factory=dict)

    @classmethod
    def open(cls, version: Version, dataset: Dataset | None) -> Self:
        """Load a checked version.

        Raises:
            UsageError: there is no dataset.
            ArtifactError: a file holds something else than a model of the variant.
        """
        if dataset is None:
            raise UsageError("skip predicts from plays, and there is no data", "Name a data folder with --data-dir.")
        model = kinds.load(version)
        return cls(PlayLog.of(dataset), model, kinds.fallback(model), _prepared(version, dataset))

    def default_requests(self) -> pl.DataFrame:
        """Return every pair of user and track that was played in the last 28 days of the log, sorted."""
        plays = self.log.dataset.plays
        recent = plays.filter(pl.col("started_at") > pl.col("started_at").max() - RECENT)
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
        current = requests["at"].is_null() if "at" in requests.columns else pl.repeat(True, len(requests), eager=True)
        self.asked += int(current.sum())
        rows = self.candidates(requests)
        has_track, has_user = self.log.tracks.has(rows["track_id"]), self._known(rows)
        reason = np.select([~has_track, ~has_user], ["unknown track", "unknown user"], "model")
        numbered = rows.with_columns(
            current.alias("current"), known=has_user, reason=pl.Series(reason, dtype=pl.String)
        ).with_row_index("row")
        parts = []
        for model, mask in ((self.model, has_track), (self.fallback, ~has_track)):
            if mask.any() or model is self.model:
                part = numbered.filter(mask)
                read, known = self._inputs(model, part), part["known"].to_numpy()
                part = part.with_columns(probability=model.predict_proba(read, known))
                parts.append(part.with_columns(because=because(model, known, read)) if explain else part)
        played_to_end, method = pl.col("probability") <= self.model.skip_rate, pl.lit(self.model.variant)
        answers = pl.concat(parts).sort("row").with_columns(played_to_end=played_to_end, method=method)
        names = ("user_id", "track_id", "at", "probability", "played_to_end", "reason", "method")
        return answers.rename({"started_at": "at"}).select(*names, *(["because"] if explain else []))

    def _known(self, rows: pl.DataFrame) -> Flags:
        """Return which rows' users the model's inputs tell anything about: (rows,)."""
        if (state := self._worthwhile_state()) is None:
            return self.model.reader.known(rows, self.log)
        return state.knows(users_of(rows, state))

    def _inputs(self, model: Model, rows: pl.DataFrame) -> Inputs:
        """Return a model's inputs, of rows without `at` from the state if it holds them: the same to the last bit."""
        state = self._worthwhile_state()
        if state is None or not reads_plays(model.reader) or not rows["current"].any():
            return self._read(model, rows)
        requests = requests_of(rows, state)
        held = rows["current"].to_numpy() & state.holds(requests)
        if held.all():
            return inputs(model.reader, state, requests)
        places = [np.flatnonzero(held), np.flatnonzero(~held)]
        parts = [inputs(model.reader, state, requests.some(places[0])), self._read(model, rows[places[1]])]
        order = np.argsort(np.concatenate(places))
        return tuple(np.concatenate(each)[order] for each in zip(*parts, strict=True))

    def _worthwhile_state(self) -> State | None:
        """Return the state, unless building it would take longer than to answer from the log."""
        worthwhile = self.stored is not None or self.asked >= WORTHWHILE
        return self.state if worthwhile and reads_plays(self.model.reader) else None

    @cached_property
    def state(self) -> State:
        """The sums over the plays of every user; built when it is first read, unless they are prepared."""
        return self.stored or State.build(self.log, parameters(self.model.reader, self.log.dataset))

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
        if not rows["started_at"].has_nulls():
            return rows
        if self.log.dataset.plays.is_empty():
            raise RefusedError("there are no plays that a request could follow", "Give `at` for each request.")
        if (state := self._worthwhile_state()) is None:
            next_start = self._ended.gather(self.log.users.find(rows["user_id"]))
        else:
            next_start = pl.Series(state.ended(users_of(rows, state))).cast(MOMENT)
        return rows.with_columns(pl.col("started_at").fill_null(next_start))

    @cached_property
    def _ended(self) -> pl.Series:
        """When all plays of each user of `log.users` have ended, or started if no end is known; last the latest start.

        The state has the same, see `State.ended`.
        """
        history = self.log.history
        plays = history.select("user_id", ended=pl.max_horizontal("started_at", "known_at"))
        ended = plays.group_by("user_id", maintain_order=True).agg(pl.col("ended").max())["ended"]
        return ended.extend_constant(history["started_at"].max(), 1)

    def _read(self, model: Model, rows: pl.DataFrame) -> Inputs:
        """Return a model's inputs from the log, with what does not depend on the rows computed once."""
        if model.variant not in self._opened:
            self._opened[model.variant] = model.reader.open(self.log)
        return self._opened[model.variant](rows)


def _prepared(version: Version, dataset: Dataset) -> State | None:
    """Return the state that was prepared for a version from the files of this dataset by this code, if there is one."""
    code = source_digest(FAMILY.__module__)
    known = prepared.current(version, code)
    if known is None or dataset.cut or not dataset.inputs or known.inputs != dataset.inputs:
        return None
    try:
        content, state = prepared.opened(version, code, files.load)
    except ArtifactError:  # it is only computed from what is here
        return None
    return state if content.inputs == dataset.inputs else None
