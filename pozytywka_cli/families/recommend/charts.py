"""Charts of the evaluation: success against the length of the list."""

from collections.abc import Sequence

import polars as pl

from pozytywka_cli.families.recommend.metrics import LENGTHS
from pozytywka_cli.records import Panel, Row

LENGTH, SUCCESS, VARIANT = "tracks in the list", "success", "variant"


def panels(rows: Sequence[Row], protocols: Sequence[str]) -> list[Panel]:
    """Draw, for each protocol, how often one track of a list is played to its end, over the length of the list."""
    values = {(row.protocol, row.metric, row.variant): row.value for row in rows}
    drawn = []
    for protocol in protocols:
        variants = dict.fromkeys(
            variant for name, metric, variant in values if (name, metric) == (protocol, "success@1")
        )
        points = [(n, values[protocol, f"success@{n}", one], one) for one in variants for n in LENGTHS]
        frame = pl.DataFrame(points, [LENGTH, SUCCESS, VARIANT], orient="row")
        drawn.append(Panel(f"Success, {protocol}", "line", frame, LENGTH, SUCCESS, VARIANT, dots=True))
    return drawn
