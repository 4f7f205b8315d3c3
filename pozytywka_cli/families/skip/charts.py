"""What the probabilities of skips look like beside what happened, and what a model leans on."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from torch import Tensor

from pozytywka_cli.evaluation import Flags, Floats, log_loss
from pozytywka_cli.records import Panel, Progress, Report, silent

BINS = 10  # of a calibration curve
POINTS = 200  # of a ROC curve, at most
SECONDS, LATEST = 5, 300  # the width of a bar of skip times, and where the last one starts
LARGEST = 15  # importances that are shown
SHUFFLED = 50_000  # plays, at most

FORECAST, OBSERVED = "forecast probability of a skip, mean of a bin", "share of the bin's plays that were skipped"
FALSE, TRUE = "false positive rate", "true positive rate"
START, SHARE = f"seconds after the track's start ({LATEST} or more in the last bar)", "% of skips"
INCREASE, INPUT = "increase of log loss (nats) when shuffled over plays", "input"
VARIANT = "variant"


def panels(
    plays: pl.DataFrame, probabilities: dict[str, Floats], importance: dict[str, list[tuple[str, float]]]
) -> list[Panel]:
    """Calibration, ROC, when skips happen, and permutation importance; a panel that would be empty is left out.

    Args:
        plays: the test plays, with `skipped` and `listened_ms`.
        probabilities: what each variant says of them: (plays,).
        importance: what `permutation_importance` found of the first variant.
    """
    skipped = plays["skipped"].to_numpy()
    ((first, importances),) = importance.items()
    bins = {variant: calibration(skipped, probability) for variant, probability in probabilities.items()}
    curves = {variant: roc(skipped, probability) for variant, probability in probabilities.items()}
    labels = {variant: _label(variant, curve) for variant, curve in curves.items()}
    points = {variant: thinned(curve) for variant, curve in curves.items()}
    largest = sorted(importances, key=lambda found: -found[1])[:LARGEST]
    inputs = {first: pl.DataFrame(largest, {INPUT: pl.String, INCREASE: pl.Float64}, orient="row")}
    calibrated, ranked = (f"{kind} curve, {len(plays):,} test plays" for kind in ("Calibration", "ROC"))
    timed, leant = f"When tracks are skipped, {skipped.sum():,} skips", f"Permutation importance, {first}"
    found = [
        Panel(calibrated, "line", _labelled(bins, labels), FORECAST, OBSERVED, VARIANT, dots=True, diagonal=True),
        Panel(ranked, "line", _labelled(points, labels), FALSE, TRUE, VARIANT, diagonal=True),
        Panel(timed, "histogram", skip_times(plays), START, SHARE),
        Panel(leant, "bar", _labelled(inputs, labels), INCREASE, INPUT, VARIANT),
    ]
    return [panel for panel in found if len(panel.rows)]


def calibration(skipped: Flags, probability: Floats) -> pl.DataFrame:
    """Mean forecast and share of skips in at most 10 bins of equally many plays; equal forecasts share a bin."""
    edges = np.quantile(probability, np.arange(1, BINS) / BINS)
    place = np.unique(np.searchsorted(edges, probability), return_inverse=True)[1]
    columns = {FORECAST: probability, OBSERVED: skipped}  # not by polars: its means differ in the last bit, run by run
    return pl.DataFrame(
        {name: np.bincount(place, weights=values) / np.bincount(place) for name, values in columns.items()}
    )


def roc(skipped: Flags, probability: Floats) -> pl.DataFrame:
    """The ROC curve from (0, 0) to (1, 1), a point for each different probability; empty without both kinds."""
    if skipped.all() or not skipped.any():
        return pl.DataFrame(schema={FALSE: pl.Float64, TRUE: pl.Float64})
    _, place = np.unique(-probability, return_inverse=True)
    counts = [np.append(0, np.cumsum(np.bincount(place, weights=kind))) for kind in (~skipped, skipped)]
    return pl.DataFrame({name: count / count[-1] for name, count in zip((FALSE, TRUE), counts, strict=True)})


def thinned(curve: pl.DataFrame) -> pl.DataFrame:
    """At most 200 of a curve's points, both ends among them, evenly from all."""
    return curve[np.linspace(0, len(curve) - 1, min(len(curve), POINTS)).astype(np.int64)]


def skip_times(plays: pl.DataFrame) -> pl.DataFrame:
    """How many of a hundred skips happen in each 5 seconds of a track; the last bar holds all from 5 minutes on."""
    start = (pl.col("listened_ms") // (1000 * SECONDS) * SECONDS).clip(upper_bound=LATEST)
    counted = plays.filter("skipped").group_by(start.alias(START)).len().sort(START)
    return counted.select(START, (100 * pl.col("len") / pl.col("len").sum()).alias(SHARE), to=pl.col(START) + SECONDS)


def permutation_importance(
    score: Callable[[Tensor], Floats],
    inputs: Tensor,
    names: Sequence[str],
    skipped: Flags,
    *,
    seed: int,
    progress: Report = silent,
) -> list[tuple[str, float]]:
    """How much the mean log loss, in nats, grows when one input's values are shuffled over the plays.

    That is Breiman's importance (2001) as the difference of losses (Fisher, Rudin and Dominici, 2019), from one shuffle
    of at most 50,000 plays, drawn with `seed`. Inputs that say the same thing share it.

    Args:
        score: probabilities of a skip, (plays,), from inputs.
        inputs: (plays, inputs), left as they are.
        names: of the inputs.
        skipped: (plays,).
    """
    generator = np.random.default_rng(seed)
    drawn = generator.permutation(len(inputs))[:SHUFFLED]
    given, outcome = inputs[drawn], skipped[drawn]
    before, found = log_loss(outcome, score(given)).mean(), []
    for number, name in enumerate(names):
        column = given[:, number].clone()
        given[:, number] = column[generator.permutation(len(drawn))]
        found.append((name, float(log_loss(outcome, score(given)).mean() - before)))
        given[:, number] = column
        progress(Progress("skip importance", number + 1, len(names)))
    return found


def _label(variant: str, curve: pl.DataFrame) -> str:
    """The variant with the area under its ROC curve, where it has one."""
    return f"{variant}, AUC {np.trapezoid(curve[TRUE], curve[FALSE]):.3f}" if len(curve) else variant


def _labelled(frames: dict[str, pl.DataFrame], labels: dict[str, str]) -> pl.DataFrame:
    """The frames of all variants as one, with a column for the variant."""
    return pl.concat(frame.with_columns(pl.lit(labels[variant]).alias(VARIANT)) for variant, frame in frames.items())
