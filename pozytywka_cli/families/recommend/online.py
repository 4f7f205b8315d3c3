"""The answerer: lists of tracks from plays that were prepared, without frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.predictor import Answer, Answerer, loading
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.answers import Answers
from pozytywka_cli.families.recommend.features import files
from pozytywka_cli.families.recommend.models.completion import Skips, by_answerer
from pozytywka_cli.families.recommend.models.model import WITH_NEIGHBOURS, load_parameters, ranker
from pozytywka_cli.families.recommend.requests import RecommendRequest


@dataclass(frozen=True)
class RecommendAnswerer:
    """A version with the plays that were known when it was prepared; they stay memory-mapped."""

    Request: ClassVar[type[RecommendRequest]] = RecommendRequest
    answers: Answers

    @classmethod
    def open(cls, version: Version, folder: Path, other: Callable[[], Answerer | None]) -> "RecommendAnswerer":
        """Memory-map what was prepared; `other` opens the answerer of skips, if there is one.

        Raises:
            ArtifactError: a file is damaged.
        """
        variant = version.manifest.variant
        with loading(version, FAMILY.online):
            parameters = load_parameters(version)
        history = files.load(folder, neighbours=variant in WITH_NEIGHBOURS)
        made = ranker(variant, parameters, history, files.load_vectors(folder), partial(_skips, other))
        return cls(Answers(made, variant))

    def answer(self, requests: Sequence[RecommendRequest]) -> list[list[Answer]]:
        """Return the rows of each request, see `RecommendPredictor.predict`."""
        return self.answers.of(requests)


def _skips(other: Callable[[], Answerer | None]) -> Skips | None:
    answerer = other()
    return None if answerer is None else by_answerer(answerer)
