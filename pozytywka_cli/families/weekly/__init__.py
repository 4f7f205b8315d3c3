"""How long will each artist be listened to in the next weeks?"""

from collections.abc import Mapping

from pozytywka_cli.families.capabilities import GroundTruth, Online, Tunable
from pozytywka_cli.families.family import Family, Variant
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.tuning import Choice, LogUniform, Space

LSTM: Space = {
    "window": Choice((13, 26, 39)),
    "hidden": Choice((16, 32, 64)),
    "batch_size": Choice((256, 512, 1024)),
    "learning_rate": LogUniform(1e-3, 1e-2),
    "weight_decay": LogUniform(1e-5, 1e-1),
}


class Weekly(Family, GroundTruth, Tunable, Online):
    """The weekly family."""

    name = "weekly"
    question = "How long will each artist be listened to next week?"
    Settings = WeeklySettings
    default = "lstm"
    baseline = "mean"
    rivals = ("mixture", "mean4")
    tuning_metric = "rmse"
    variants: Mapping[str, Variant] = {
        "lstm": Variant("the mixture, corrected by a small network where that is shown to help", gpu=True, space=LSTM),
        "mixture": Variant("filters of each artist's level, weighted by fit, times an index of all artists"),
        "mean": Variant("each artist's mean over all past weeks", baseline=True),
        "mean4": Variant("each artist's mean over the last 4 weeks", baseline=True),
        "last": Variant("the same as last week", baseline=True),
        "linear": Variant("a straight line through each artist's last 11 weeks", baseline=True),
        "linear-all": Variant("a straight line through all weeks of each artist", baseline=True),
        "legacy-lstm": Variant("the network of the old systems, for comparison only", gpu=True),
        "seasonal": Variant("each artist's mean over the last year times the index of the season", baseline=True),
        "AutoETS": Variant("exponential smoothing of a form chosen for each artist", baseline=True, extra="forecast"),
        "SES": Variant("simple exponential smoothing of each artist's weeks", baseline=True, extra="forecast"),
    }
    online = tuple(variants)


FAMILY = Weekly()
