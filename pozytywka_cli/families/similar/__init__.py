"""Which artists are like this one?"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pozytywka_cli.families.family import Evaluated, Predictor, TrainingRun, Variant
from pozytywka_cli.families.package import FamilyPackage
from pozytywka_cli.families.similar.settings import SimilarSettings

if TYPE_CHECKING:
    from pozytywka_cli.artifacts import Version
    from pozytywka_cli.dataset.loading import Dataset


class Similar(FamilyPackage):
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

    def require_gpu(self) -> None:
        """Check that implicit can use a GPU."""
        from pozytywka_cli.families.similar import implicit_gpu

        implicit_gpu.require()

    def open(self, version: "Version", dataset: "Dataset | None") -> Predictor:
        """Load a version; it needs no data."""
        from pozytywka_cli.families.similar.models.factors import Factors
        from pozytywka_cli.families.similar.predict import SimilarPredictor

        return SimilarPredictor(Factors.load(version))

    def tradeoff(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Return quality, training time and lookup time over factors and iterations."""
        return self._call(Evaluated, "evaluate", dataset, run, function="tradeoff")


FAMILY = Similar()
