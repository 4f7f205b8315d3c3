"""Which artists are like this one?"""

from collections.abc import Mapping

from pozytywka_cli.families.capabilities import GroundTruth, Online, Tradeoff
from pozytywka_cli.families.family import Family, Variant
from pozytywka_cli.families.similar.settings import SimilarSettings


class Similar(Family, GroundTruth, Tradeoff, Online):
    """The similar family."""

    name = "similar"
    question = "Which artists are like this one?"
    Settings = SimilarSettings
    default = "two-cosines"
    baseline = "popularity"
    rivals = ("als", "ppmi")
    variants: Mapping[str, Variant] = {
        "two-cosines": Variant("the mean of als and ppmi for artists; als alone for users", gpu=True),
        "als": Variant("alternating least squares: embeddings of artists learned from who listens to them", gpu=True),
        "ppmi": Variant("mutual information: artists described by those that their listeners hear too"),
        "popularity": Variant("the artists with the most listeners, whichever artist is asked for", baseline=True),
    }
    online = tuple(variants)

    def require_gpu(self) -> None:
        """Check that implicit can use a GPU."""
        from pozytywka_cli import implicit_gpu

        implicit_gpu.require()


FAMILY = Similar()
