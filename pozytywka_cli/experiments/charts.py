"""Charts of an experiment over time."""

from datetime import UTC, datetime

import polars as pl

from pozytywka_cli.experiments.analysis import Analysis
from pozytywka_cli.records import Panel

BOUNDS = {
    "95 % interval for one look": ("low", "high"),
    "confidence sequence for any number of looks": ("always_low", "always_high"),
}


def panels(looks: list[tuple[int, Analysis]]) -> list[Panel]:
    """Return for each metric the effect over time with both kinds of bounds, and the ratio of the arms' sizes.

    looks: see `analysis.over_time`
    """
    dated = [(datetime.fromtimestamp((moment - 1) / 1e6, UTC).date(), found) for moment, found in looks]
    effects = [(date, one) for date, found in dated for one in found.effects if one.primary]
    result = []
    for metric in dict.fromkeys(one.metric for _, one in effects):
        chosen = [(date, one) for date, one in effects if one.metric == metric and one.difference is not None]
        for title, (low, high) in BOUNDS.items():
            rows = [(date, one.arm, one.difference, getattr(one, low), getattr(one, high)) for date, one in chosen]
            schema = {
                "date": pl.Date,
                "arm": pl.String,
                "difference": pl.Float64,
                "low": pl.Float64,
                "high": pl.Float64,
            }
            frame = pl.DataFrame(rows, schema=schema, orient="row")
            result.append(Panel(f"{metric}: {title}", "band", frame, "date", "difference", "arm", dots=True))
    sizes = [(date, arm.arm, arm.units / arm.expected) for date, found in dated for arm in found.arms if arm.expected]
    frame = pl.DataFrame(sizes, schema={"date": pl.Date, "arm": pl.String, "units": pl.Float64}, orient="row")
    frame = frame.rename({"units": "units ÷ expected"})
    title = f"Sample ratio, p = {looks[-1][1].sample_ratio_p_value:.2g}" if looks else "Sample ratio"
    return [*result, Panel(title, "line", frame, "date", "units ÷ expected", "arm", dots=True)]
