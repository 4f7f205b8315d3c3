"""The metrics of the family, and the text of its model cards."""

from collections.abc import Mapping

from pozytywka_cli.artifacts import CardText
from pozytywka_cli.families.similar import FAMILY
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.records import Metric

METRICS: Mapping[str, Metric] = {
    "sampled_hit_rate@10": Metric(
        "PM", "higher", "how often a held-out artist ranks among the first 10 with 99 others, drawn by popularity"
    ),
    "recall@10": Metric("recall@10", "higher", "the share of a user's held-out artists in the top 10 of one artist"),
    "ndcg@10": Metric("NDCG@10", "higher", "the same, where a hit counts more the higher it ranks"),
    "user_recall@20": Metric(
        "user recall@20", "higher", "the share of a user's held-out artists in the top 20 for the user's whole library"
    ),
    "user_ndcg@20": Metric("user NDCG@20", "higher", "the same, where a hit counts more the higher it ranks"),
    "stability@10": Metric(
        "stability@10", "higher", "the overlap (Jaccard) of an artist's top 10 between two models of different seeds"
    ),
    "own_library@5": Metric(
        "own library@5", "higher", "the share of an artist's top 5 that its listeners have in the training data"
    ),
    "shared_genre@5": Metric("shared genre@5", "higher", "the share of an artist's top 5 with a genre in common"),
    "main_genre@5": Metric("main genre@5", "higher", "the share of an artist's top 5 with the same main genre"),
    "training_seconds": Metric("training, s", "lower", "the time of fitting the model"),
    "lookup_milliseconds": Metric("lookup, ms", "lower", "the mean time of finding an artist's top 10, in memory"),
}
PROTOCOL = (
    "A random fifth of the artists of every user with at least 5 was held out. The model learned from the rest, and "
    "had to rank the held-out artists by similarity to at most 50 of the user's other artists. The model was then "
    "fitted again, on all data. Where variants competed, a fifth of that rest was held out too, to choose between them."
)
SCORES = (
    " Their scores are lower for that: with n listeners, a cosine counts n ÷ (n + 3.5), which is what is left of it on "
    "other listeners. Scores of different artists are comparable in that sense only; they are no probabilities."
)


def text(variant: str, settings: SimilarSettings) -> CardText:
    """Return the card of a variant."""
    plain = variant == FAMILY.baseline
    return CardText(
        question=FAMILY.question,
        protocol=PROTOCOL,
        use="Suggesting the most popular artists until a model is shown to be as good."
        if plain
        else "Suggesting artists that have the same listeners as a chosen artist.",
        not_for="Describing how artists sound: the model has heard no music. Rating artists. Judging single users.",
        limits="It knows no similarity: the answer is the same for every artist."
        if plain
        else f"Artists with fewer than {settings.min_listeners} listeners are left out; those with few are less exact."
        + (SCORES if variant in ("two-cosines", "ppmi") else ""),
        glossary={name: details.description for name, details in FAMILY.variants.items()},
        metrics=METRICS,
    )
