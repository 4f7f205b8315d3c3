"""The metrics of the skip models, and the text of a model card, for readers who need no statistics."""

from pozytywka_cli.artifacts import CardText
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.records import Metric

METRICS = {  # by their name in JSON, the headline metric first
    "log_loss": Metric("log loss", "lower", "how surprising the outcomes are, given the predicted probabilities"),
    "roc_auc": Metric(
        "AUC",
        "higher",
        "how often a skipped play has a higher probability than one that was played to its end; 0.5 is guessing",
    ),
    "accuracy": Metric(
        "accuracy", "higher", "the share of correct predictions, where a skip is predicted from a probability of 0.5 on"
    ),
    "balanced_accuracy": Metric(
        "balanced accuracy",
        "higher",
        "the share of correct predictions among skipped plays and among others, averaged, where a skip is predicted "
        "above the usual probability; 0.5 is guessing",
    ),
    "calibration_bias": Metric(
        "bias", "target", "how far the probabilities are, on average, above the observed share of skips", 0.0
    ),
    "calibration_slope": Metric(
        "slope",
        "target",
        "below 1 the probabilities are too far from the usual one, above 1 too close to it; constants have no slope",
        1.0,
    ),
    "expected_calibration_error": Metric(
        "ECE", "lower", "how far the probabilities are from the observed share of skips, over plays with similar ones"
    ),
    "expected_calibration_error_if_calibrated": Metric(
        "ECE by chance", "neither", "the ECE that chance alone gives to probabilities that are right for every play"
    ),
    "brier_score": Metric("Brier", "lower", "the mean squared difference between probability and outcome"),
}
PROTOCOL = (
    "The model was fitted on all plays before the last fifth of the log's time, and then predicted every play of that "
    "fifth, from what was known when the play started. The saved model was fitted again, on all plays."
)
USE = (
    "Deciding which tracks to keep ready for whom: how likely is this user to skip this track if it starts now? A play "
    "to the end is predicted if that probability is at most {:.3f}, the share of all plays that were skipped."
)
NOT_FOR = (
    "Judging tracks, artists or users: a skipped track may still be liked. Explaining why somebody skips. Predicting "
    "further ahead than the next play."
)
LIMITS = (
    "The model knows users by their plays and their favourite genres. For an unknown user it returns the share of all "
    "plays that were skipped, for an unknown track the user's own skip rate."
)
IS_CONSTANT = "it does not beat the constant on validation plays by more than chance, so the model is the constant"


def text(skip_rate: float) -> CardText:
    """Return the text of the card of a model with this skip rate."""
    variants = {name: variant.description for name, variant in FAMILY.variants.items()}
    return CardText(FAMILY.question, PROTOCOL, USE.format(skip_rate), NOT_FOR, LIMITS, variants, METRICS)
