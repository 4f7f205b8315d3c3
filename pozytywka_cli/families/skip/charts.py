"""Charts of an evaluation: calibration, ROC curves, skip times, permutation importance."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Flags, Floats, log_loss
from pozytywka_cli.records import Panel, Progress, Report

Singles = NDArray[np.float32]

BINS, POINTS = 10, 200  # of a calibration curve, and of a ROC curve, at most
SECONDS, LATEST = 5, 300  # the width of a bar of skip times, and the start of the last bar
LARGEST, SHUFFLED = 15, 50_000  # importances in the chart, and plays that they are computed from, at most

FORECAST, OBSERVED = "predicted probability of a skip (mean of the bin)", "share of skipped plays in the bin"
FALSE, TRUE = "false positive rate", "true positive rate"
START, SHARE = f"seconds after the start of the track (last bar: {LATEST} or more)", "% of skips"
INCREASE, INPUT = "increase in log loss (nats) when the feature is shuffled", "feature"
VARIANT = "variant"


def panels(
    plays: pl.DataFrame, probabilities: dict[str, Floats], importance: dict[str, list[tuple[str, float]]]
) -> list[Panel]:
    """Draw calibration, ROC curves, skip times and permutation importance; an empty panel is left out.

    `probabilities` are each variant's predictions for the test plays, (plays,); `importance` is the result of
    `permutation_importance`, and the variant that it belongs to.
    """
    skipped = plays["skipped"].to_numpy()
    ((important, importances),) = importance.items()
    bins = {variant: calibration(skipped, probability) for variant, probability in probabilities.items()}
    curves = {variant: roc(skipped, probability) for variant, probability in probabilities.items()}
    largest = [(name.replace("_", " "), value) for name, value in sorted(importances, key=lambda pair: -pair[1])]
    bars = {important: pl.DataFrame(largest[:LARGEST], {INPUT: pl.String, INCREASE: pl.Float64}, orient="row")}

    def labelled(frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
        """Concatenate the frames of variants, with a column for the variant and the area under its ROC curve."""
        parts = []
        for variant, frame in frames.items():
            x, y = curves[variant][FALSE], curves[variant][TRUE]
            label = f"{variant}, AUC {np.trapezoid(y, x):.3f}" if len(x) else variant
            parts.append(frame.with_columns(pl.lit(label).alias(VARIANT)))
        return pl.concat(parts)

    calibrated, ranked = labelled(bins), labelled({variant: thinned(curve) for variant, curve in curves.items()})
    title = f"Calibration curve, {len(plays):,} test plays"
    drawn = [
        Panel(title, "line", calibrated, FORECAST, OBSERVED, VARIANT, dots=True, diagonal=True),
        Panel(f"ROC curve, {len(plays):,} test plays", "line", ranked, FALSE, TRUE, VARIANT, diagonal=True),
        Panel(f"When tracks are skipped, {skipped.sum():,} skips", "histogram", skip_times(plays), START, SHARE),
        Panel(f"Permutation importance, {important}", "bar", labelled(bars), INCREASE, INPUT, VARIANT),
    ]
    return [panel for panel in drawn if len(panel.rows)]


def calibration(skipped: Flags, probability: Floats) -> pl.DataFrame:
    """Compute the mean prediction and the share of skips in at most 10 bins of equal size; ties share a bin."""
    edges = np.quantile(probability, np.arange(1, BINS) / BINS)
    place = np.unique(np.searchsorted(edges, probability), return_inverse=True)[1]
    columns = {FORECAST: probability, OBSERVED: skipped}  # not by polars: its means differ in the last bit, run by run
    means = {name: np.bincount(place, weights=values) / np.bincount(place) for name, values in columns.items()}
    return pl.DataFrame(means)


def roc(skipped: Flags, probability: Floats) -> pl.DataFrame:
    """Compute the ROC curve from (0, 0) to (1, 1), a point per distinct probability; empty for a single outcome."""
    if skipped.all() or not skipped.any():
        return pl.DataFrame(schema={FALSE: pl.Float64, TRUE: pl.Float64})
    _, place = np.unique(-probability, return_inverse=True)
    counts = [np.append(0, np.cumsum(np.bincount(place, weights=kind))) for kind in (~skipped, skipped)]
    return pl.DataFrame({name: count / count[-1] for name, count in zip((FALSE, TRUE), counts, strict=True)})


def thinned(curve: pl.DataFrame) -> pl.DataFrame:
    """Return at most 200 of a curve's points, evenly spaced, with both ends."""
    return curve[np.linspace(0, len(curve) - 1, min(len(curve), POINTS)).astype(np.int64)]


def skip_times(plays: pl.DataFrame) -> pl.DataFrame:
    """Compute the percentage of skips in each 5 seconds of a track; the last bar has all from 5 minutes on."""
    start = (pl.col("listened_ms") // (1000 * SECONDS) * SECONDS).clip(upper_bound=LATEST)
    counted = plays.filter("skipped").group_by(start.alias(START)).len().sort(START)
    return counted.select(START, (100 * pl.col("len") / pl.col("len").sum()).alias(SHARE), to=pl.col(START) + SECONDS)


def permutation_importance(
    score: Callable[[Singles], Floats],
    inputs: Singles,
    names: Sequence[str],
    skipped: Flags,
    seed: int,
    progress: Report,
) -> list[tuple[str, float]]:
    """Compute the increase of the mean log loss, in nats, when one feature's values are shuffled over the plays.

    That is Breiman's importance (2001) as a difference of losses (Fisher, Rudin and Dominici, 2019), from one shuffle
    of at most 50,000 plays, drawn with `seed`. Features with the same information share it.

    `score` returns the probabilities of a skip, (plays,), for `inputs`, (plays, features), which are not modified;
    `skipped` are the outcomes, (plays,).
    """
    generator = np.random.default_rng(seed)
    sample = generator.permutation(len(inputs))[:SHUFFLED]
    features, outcome = inputs[sample], skipped[sample]
    before, importance = log_loss(outcome, score(features)).mean(), []
    for number, name in enumerate(names):
        column = features[:, number].copy()
        features[:, number] = column[generator.permutation(len(sample))]
        importance.append((name, float(log_loss(outcome, score(features)).mean() - before)))
        features[:, number] = column
        progress(Progress("skip importance", number + 1, len(names)))
    return importance
