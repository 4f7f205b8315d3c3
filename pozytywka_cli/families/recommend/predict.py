"""The predictor: from users, and what they ask for, to lists of tracks with reasons."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import msgspec
import polars as pl

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.families.predictor import Predictor, loading
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.answers import COLUMNS, Answers
from pozytywka_cli.families.recommend.features.frames import collect_history, collect_tracks
from pozytywka_cli.families.recommend.models.completion import Skips, by_predictor
from pozytywka_cli.families.recommend.models.lists import Ranker
from pozytywka_cli.families.recommend.models.model import Model
from pozytywka_cli.families.recommend.requests import RecommendRequest

SCHEMA: dict[str, Any] = dict.fromkeys(COLUMNS, pl.String) | {
    "user_id": pl.Int64,
    "rank": pl.Int64,
    "score": pl.Float64,
    "because": pl.Struct({"kind": pl.String, "id": pl.String, "name": pl.String}),
}


@dataclass(frozen=True)
class RecommendPredictor:
    """A model with the plays, opened once."""

    Request: ClassVar[type[msgspec.Struct]] = RecommendRequest
    ranker: Ranker
    variant: str

    @classmethod
    def open(
        cls, version: Version, dataset: Dataset | None, other: Callable[[], Predictor | None] = lambda: None
    ) -> Self:
        """Load a checked version, and prepare the plays; `other` opens the predictor of skips, if there is one.

        Raises:
            UsageError: there is no dataset.
            ArtifactError: a file holds something else than a model of the variant.
        """
        if dataset is None:
            raise UsageError("recommend needs plays, and there is no data", "Name a data folder with --data-dir.")
        with loading(version, FAMILY.variants):
            model = Model.load(version)
        history = collect_history(dataset, collect_tracks(dataset))
        return cls(model.ranker(history, partial(_skips, other)), version.manifest.variant)

    def default_requests(self) -> pl.DataFrame:
        """Return every user with plays or in the users table."""
        return pl.DataFrame({"user_id": self.ranker.history.users})

    def predict(self, requests: pl.DataFrame) -> pl.DataFrame:
        """Return user_id, rank, track_id, track, artist, score, because, variant and problem: a row for each track.

        `because` is what the recommendation comes from, see `Reason`. Scores are comparable within one list only. A
        request that cannot be answered has one row, where `problem` says why; user_id and variant are the only others
        that are not null there.

        Raises:
            RefusedError: the column user_id is missing.
        """
        if "user_id" not in requests.columns:
            raise RefusedError("the requests have no column user_id", "Give user_id for each one.")
        asked = [_request(fields) for fields in requests.iter_rows(named=True)]
        answers = Answers(self.ranker, self.variant).of(asked)
        return pl.DataFrame([row for rows in answers for row in rows], SCHEMA, orient="row")


def _skips(other: Callable[[], Predictor | None]) -> Skips | None:
    predictor = other()
    return None if predictor is None else by_predictor(predictor)


def _request(fields: dict[str, Any]) -> RecommendRequest:
    """Return a request; null in a field with a default is that default."""
    return RecommendRequest(**{name: value for name, value in fields.items() if value is not None})
