"""Which tracks next?"""

from collections.abc import Mapping

from pozytywka_cli.families.capabilities import BuildsOn, GroundTruth, Online
from pozytywka_cli.families.family import Family, Variant
from pozytywka_cli.families.recommend.settings import RecommendSettings


class Recommend(Family, GroundTruth, BuildsOn, Online):
    """The recommend family."""

    name = "recommend"
    question = "Which tracks should a user be offered next?"
    Settings = RecommendSettings
    default = "blend"
    baseline = "popular"
    reference = "popular"
    rivals = ("als",)
    builds_on = "skip"
    asking = ("preference", "blend")
    variants: Mapping[str, Variant] = {
        "blend": Variant(
            "a weighted sum of als, similar listeners, artists, genres, popularity and the probability that the track "
            "is played to its end",
            gpu=True,
        ),
        "als": Variant("alternating least squares: embeddings of tracks learned from who plays them", gpu=True),
        "autoencoder": Variant(
            "tracks whose attributes and genres are close to those of the user's last 28 days", gpu=True
        ),
        "preference": Variant("the popular tracks that the user is most likely to play to the end"),
        "own": Variant("the tracks that the user has played to the end most often, then the popular ones"),
        "popular": Variant("the tracks with the most plays", baseline=True),
        "random": Variant("any tracks, for comparison", baseline=True),
    }
    online = tuple(variants)
    slow_online = True

    def require_gpu(self) -> None:
        """Check that torch and implicit can use a GPU."""
        from pozytywka_cli import implicit_gpu, learning

        learning.device(gpu=True)
        implicit_gpu.require()


FAMILY = Recommend()
