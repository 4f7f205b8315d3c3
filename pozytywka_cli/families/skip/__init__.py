"""Will this track be played to its end?"""

from collections.abc import Mapping

from pozytywka_cli.families.capabilities import GroundTruth, Online, Tunable
from pozytywka_cli.families.family import Family, Variant
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.tuning import Choice, LogUniform, Space, Uniform

NETWORK: Space = {"dropout": Uniform(0.0, 0.5), "learning_rate": LogUniform(3e-4, 1e-2)}
SHAPE: Space = {"layers": Choice((1, 2, 3)), "width": Choice((16, 32, 64, 128))}


class Skip(Family, GroundTruth, Tunable, Online):
    """The skip family."""

    name = "skip"
    question = "Will the track that starts now be skipped, or played to its end?"
    Settings = SkipSettings
    default = "advanced"
    baseline = "constant"
    rivals = ("logistic", "user-rate")
    tuning_metric = "log_loss"
    online = ("advanced", "logistic", "user-rate", "constant")  # those of users' plays alone
    variants: Mapping[str, Variant] = {
        "advanced": Variant(
            "a logistic regression and three small neural networks, averaged, over the user's past plays, the track "
            "and the moment",
            gpu=True,
            space={**SHAPE, "smoothing": Choice((0.5, 1.0, 2.0, 4.0)), **NETWORK},
        ),
        "simple": Variant(
            "three small neural networks, averaged, over the genres of user and artist", gpu=True, space=NETWORK
        ),
        "forest": Variant("a random forest over the genres of user and artist"),
        "logistic": Variant("a logistic regression over the features of `advanced`", baseline=True),
        "legacy": Variant(
            "the old system's network, for comparison only: trained on as many skipped plays as others, it "
            "overestimates the probability of a skip",
            baseline=True,
            gpu=True,
        ),
        "user-rate": Variant("the share of the user's plays that were skipped so far", baseline=True),
        "constant": Variant("the share of all plays that were skipped", baseline=True),
    }


FAMILY = Skip()
