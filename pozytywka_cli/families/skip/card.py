"""What a skip model's card says, in words that need no statistics."""

QUESTION = "Will the track that starts now be skipped, or played to its end?"
PROTOCOL = (
    "It learned from everything before the last fifth of the log's time and was then asked about every play of that "
    "last fifth, knowing of each no more than was known when it started. What serves was then fitted on everything."
)
USE = "Deciding which tracks to keep at hand for whom: how likely is this user to skip this track, now that it starts?"
DECISION = "It tells that a track will be played to its end where that probability is at most {:.3f}, the usual one."
NOT_FOR = (
    "Judging tracks, artists or users: a track that is skipped may still be liked. Explaining why somebody skips. "
    "Looking further ahead than the next play."
)
LIMITS = (
    "It knows users by what they played and what they say they like: an unknown one gets what is usual, and an unknown "
    "track the user's own rate."
)
NO_GAIN = "the networks do not beat the constant on validation plays by more than chance: the model is the constant"
GLOSSARY = {
    "advanced": "three small neural networks, averaged, that read the user's past plays, the track and the moment",
    "simple": "three small neural networks, averaged, that read the genres of user and artist alone",
    "forest": "a random forest that reads the genres of user and artist alone",
    "logistic": "a weighted sum of what `advanced` reads",
    "legacy": "the old system's recipe, for comparison alone: its probabilities run high, for it learned from as many "
    "skipped plays as others",
    "user-rate": "how often the user has skipped so far",
    "constant": "how often anybody skips, whoever plays what: the plain baseline",
    "log loss": "how surprised it is by what happened; lower is better",
    "accuracy": "the share of plays told right, a skip being told from a probability of one half on; higher is better",
    "Brier": "the squared distance of its probabilities from what happened, on average; lower is better",
    "ECE": "how far its probabilities are from how often skips came, on average; lower is better",
    "AUC": "how often a skipped play had a higher probability than one that was not; 0.5 is guessing, higher is better",
    "balanced accuracy": "the share told right of skipped plays and of others, averaged, a skip being told where it is "
    "likelier than usual; 0.5 is guessing, higher is better",
}
