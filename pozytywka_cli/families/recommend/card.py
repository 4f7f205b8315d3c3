"""The names of the metrics, and the text of the model cards."""

from collections.abc import Mapping

from pozytywka_cli.artifacts.draft import CardText
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.records import Metric

METRICS: Mapping[str, Metric] = {
    "ndcg@20": Metric("NDCG@20", "higher", "how many of 20 tracks are played to the end, a high rank counting more"),
    "ndcg@100": Metric("NDCG@100", "higher", "the same of 100 tracks"),
    **{
        f"success@{n}": Metric(f"success@{n}", "higher", f"how often one of {n} tracks is played to the end at least")
        for n in (1, 5, 10, 17, 20, 50)
    },
    "cost": Metric(
        "cost", "lower", "what diversity and tail tracks cost: NDCG@20 of the plain list minus that of this one"
    ),
    "precision@20": Metric("precision@20", "higher", "the share of 20 tracks that are played to the end"),
    "recall@20": Metric("recall@20", "higher", "the share of what is played to the end that is among 20 tracks"),
    "coverage@20": Metric("coverage@20", "higher", "the share of the tracks with plays that any user is offered"),
    "novelty@20": Metric("novelty@20", "higher", "how few users know the tracks, in bits: each bit halves them"),
    "diversity@20": Metric("diversity@20", "higher", "how unlike each other the tracks of a list are, 0 to 1"),
    "tail_share@20": Metric("tail share@20", "higher", "the share of tracks among the 80 % that are played least"),
    "genre_divergence@20": Metric(
        "genre divergence@20", "lower", "how far the genres of a list are from those of the user's plays, in nats"
    ),
    "mrr": Metric("MRR", "higher", "the mean of 1 / rank of the track that is played next, of 100 tracks"),
    "hit@10": Metric("hit@10", "higher", "how often the track that is played next is among 10"),
    "expected_skip_rate": Metric(
        "expected skips", "lower", "the share of offered tracks that would be skipped, by the skip model"
    ),
    "weighted_skip_rate": Metric(
        "weighted skips", "lower", "the share of skips among plays of offered tracks, weighted by how rare they are"
    ),
    "expected_skip_rate_vs_played": Metric(
        "vs played", "lower", "the expected skips of offered tracks minus those of the tracks that users then played"
    ),
    "expected_full_plays": Metric(
        "expected full plays", "higher", "plays to the end in four weeks that the truth lets expect of 20 tracks"
    ),
    "share_of_oracle": Metric(
        "share of oracle", "higher", "the gain in expected full plays over random tracks, of the largest possible gain"
    ),
}
PROTOCOL = (
    "The model learned from the plays before the last {days:.0f} days. For every user it listed tracks that were new "
    "to the user, and those that the user played to the end in these days counted as hits. Where variants competed, "
    "they were compared in the same way on as many days before. The model was then fitted again, on all data."
)


def text(variant: str, days: float) -> CardText:
    """Return the card of a variant that was tested on the last days."""
    plain = FAMILY.variants[variant].baseline
    return CardText(
        question=FAMILY.question,
        protocol=PROTOCOL.format(days=days),
        use="Offering popular tracks until a model is shown to be better."
        if plain
        else "Offering a user tracks to play next, with more or less variety.",
        not_for="Measuring how good tracks or artists are. Deciding what artists are paid. Judging single users.",
        limits="Tracks that nobody has played are not offered, except by the autoencoder. Users without plays get what "
        "fits their favourite genres, or what is popular. What users play depends on what they were offered before; a "
        "test on old plays cannot tell what they would have played otherwise.",
        glossary={name: details.description for name, details in FAMILY.variants.items()},
        metrics=METRICS,
    )
