"""The answerer: the predictor, which stays memory-mapped and needs no frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.predictor import Answer, Answerer
from pozytywka_cli.families.similar.predict import SimilarPredictor, SimilarRequest


@dataclass(frozen=True)
class SimilarAnswerer:
    """A version of similar."""

    Request: ClassVar[type[SimilarRequest]] = SimilarRequest
    predictor: SimilarPredictor

    @classmethod
    def open(cls, version: Version, folder: Path, other: Callable[[], Answerer | None]) -> "SimilarAnswerer":
        """Load a version; an ArtifactError if a file is damaged."""
        return cls(SimilarPredictor.open(version))

    def answer(self, requests: Sequence[SimilarRequest]) -> list[list[Answer]]:
        """Return the rows of each request, see `SimilarPredictor.predict`."""
        return [self.predictor.answer(request) for request in requests]
