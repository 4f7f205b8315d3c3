"""Which artists are like this one?"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pozytywka_cli.families.family import Evaluated, Predictor, Trained, TrainingRun, Variant
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.records import Metric, Row

if TYPE_CHECKING:
    from pozytywka_cli.artifacts import Version
    from pozytywka_cli.dataset.loading import Dataset


class Similar:
    """The similar family."""

    name = "similar"
    question = "Which artists are like this one?"
    Settings = SimilarSettings
    default = "als"
    baseline = "popularity"
    variants: Mapping[str, Variant] = {
        "als": Variant("alternating least squares: embeddings of artists learned from who listens to them", gpu=True),
        "popularity": Variant("the artists with the most listeners, whichever artist is asked for", baseline=True),
    }

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics, the headline metric first."""
        from pozytywka_cli.families.similar.card import METRICS

        return METRICS

    def require_gpu(self) -> None:
        """Check that implicit can use a GPU."""
        from pozytywka_cli.families.similar import implicit_gpu

        implicit_gpu.require()

    def train(self, dataset: "Dataset", run: TrainingRun) -> Trained:
        """Measure a variant on held-out artists of every listener, and fit it on all listens."""
        from pozytywka_cli.families.similar.train import train

        return train(dataset, run)

    def evaluate(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Measure all variants on four splits."""
        from pozytywka_cli.families.similar.evaluate import evaluate

        return evaluate(dataset, run)

    def open(self, version: "Version", dataset: "Dataset | None") -> Predictor:
        """Load a version; it needs no data."""
        from pozytywka_cli.families.similar.predict import SimilarPredictor

        return SimilarPredictor.open(version)

    def ground_truth(self, dataset: "Dataset", truth: Path, run: TrainingRun) -> list[Row]:
        """Return the share of similar artists that truly share a genre."""
        from pozytywka_cli.families.similar.ground_truth import ground_truth

        return ground_truth(dataset, truth, run)

    def tradeoff(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Return quality, training time and lookup time over factors and iterations."""
        from pozytywka_cli.families.similar.tradeoff import tradeoff

        return tradeoff(dataset, run)


FAMILY = Similar()
