"""Predictions by the versions that serve, one family after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pozytywka_cli.artifacts import Store, Version
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.records import Progress, Report

PREDICTING = ("skip", "weekly")


@dataclass(frozen=True)
class Predicted:
    """A family's answers, and the version that gave them."""

    family: str
    version: Version
    rows: pl.DataFrame


def serving(store: Store, family: str | None) -> dict[str, Version]:
    """The checked versions to predict with: of one family, or of all that serve.

    Raises:
        ArtifactError: none serves, or one is damaged.
    """
    names = [family] if family else [name for name in PREDICTING if store.serving(name)]
    if not names:
        raise ArtifactError(f"no model serves in {store.root}", "Make them with `pozytywka train`.")
    return {name: store.load(name) for name in names}


def predict(
    versions: dict[str, Version],
    service: Service,
    pairs: pl.DataFrame | None,
    report: Report,
    *,
    explain: bool = False,
    horizon: int | None = None,
) -> Iterator[Predicted]:
    """Answer for each family in turn.

    `pairs` is what skip is asked (None: all that was played in the last 28 days), and with `explain` it says why.
    weekly looks `horizon` weeks ahead (None: as many as its version was made for).

    Raises:
        RefusedError: there are too few data for a family; those before it have been answered.
        UsageError: `horizon` is more than the version was made for.
    """
    if "skip" in versions:
        from pozytywka_cli.skip import predict as skip

        asked = skip.default_pairs(service) if pairs is None else pairs
        report(Progress("predict skip", 0, 1))
        rows = skip.predict(versions["skip"], service, asked, explain=explain)
        report(Progress("predict skip", 1, 1))
        yield Predicted("skip", versions["skip"], rows)
    if "weekly" in versions:
        from pozytywka_cli.weekly import predict as weekly

        rows = weekly.predict(versions["weekly"], service, horizon=horizon)
        yield Predicted("weekly", versions["weekly"], rows)
