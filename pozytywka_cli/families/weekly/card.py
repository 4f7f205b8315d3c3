"""The metrics of the family, and the text of its model cards."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pozytywka_cli.artifacts import CardText
from pozytywka_cli.families.weekly import FAMILY
from pozytywka_cli.records import Metric

if TYPE_CHECKING:
    from pozytywka_cli.families.weekly.splits import Split

METRICS: Mapping[str, Metric] = {
    "rmse": Metric("RMSE (s)", "lower", "the error of a forecast in seconds, where large errors count more"),
    "mae": Metric("MAE (s)", "lower", "the mean error of a forecast in seconds"),
    "rmse_ratio": Metric("RMSE ÷ mean's", "lower", "RMSE divided by that of the variant `mean`"),
    "mase": Metric("MASE", "lower", 'MAE divided by that of "the same as last week" before; below 1 is better than it'),
    "rmsse": Metric("RMSSE", "lower", 'RMSE divided by that of "the same as last week" before; below 1 is better'),
    "wape": Metric("WAPE", "lower", "the sum of all errors divided by the sum of all listening"),
    "pinball_loss": Metric("pinball (s)", "lower", "the error of the 10, 50 and 90 % quantiles in seconds"),
    "coverage": Metric("coverage", "target", "the share of weeks within the 80 % interval", target=0.8),
}


def text(divided: "Split") -> CardText:
    """Return the card of a variant that was measured on this split."""
    return CardText(
        question=FAMILY.question,
        protocol=f"The last full weeks of the log ({len(divided.test_weeks)}) were held out. The model learned from "
        f"the weeks before them and forecast each one from all that was known up to {divided.horizon} week(s) earlier. "
        "The model was then fitted again, on all weeks.",
        use="Planning what will be owed to artists, and seeing early who gains or loses listeners. Each forecast has "
        "an interval that four weeks in five lie within: from its 10 to its 90 % quantile, or from 0 to a lower "
        "quantile for artists who are silent in more than one week of ten.",
        not_for="Settling accounts afterwards, when it is known what was listened to. Forecasting further ahead than "
        "it was trained for. Judging single tracks or listeners.",
        limits="It knows past listening only: no releases, concerts or holidays. It expects an artist to move with all "
        "others, as far as these have moved together. The forecast is zero for an artist without listening in any full "
        "week.",
        glossary={name: variant.description for name, variant in FAMILY.variants.items()},
        metrics=METRICS,
    )
