"""Predictions by the versions that serve, one family after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pozytywka_cli.artifacts import Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import ArtifactError, RefusedError
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
        none = f"neither {' nor '.join(PREDICTING)} serves in {store.root}"
        raise ArtifactError(none, "Train them: `pozytywka train`.")
    return {name: store.load(name) for name in names}


def predict(
    versions: dict[str, Version],
    dataset: Dataset,
    pairs: pl.DataFrame | None,
    report: Report,
    *,
    explain: bool = False,
    horizon: int | None = None,
    artist: str | None = None,
) -> Iterator[Predicted]:
    """Answer for each family in turn.

    `pairs` is what skip is asked (None: all that was played in the last 28 days), and with `explain` it says why.
    weekly looks `horizon` weeks ahead (None: as many as its version was made for), and tells of one `artist` if named.

    Raises:
        RefusedError: there are too few data for a family, or no such artist; the families before have been answered.
        UsageError: `horizon` is more than the version was made for.
    """
    if "skip" in versions:
        from pozytywka_cli.families.skip import predict as skip

        asked = skip.default_pairs(dataset) if pairs is None else pairs
        report(Progress("predict skip", 0, 1))
        rows = skip.predict(versions["skip"], dataset, asked, explain=explain)
        report(Progress("predict skip", 1, 1))
        yield Predicted("skip", versions["skip"], rows)
    if "weekly" in versions:
        from pozytywka_cli.families.weekly import predict as weekly

        rows = weekly.predict(versions["weekly"], dataset, horizon=horizon)
        yield Predicted("weekly", versions["weekly"], rows if artist is None else called(rows, artist))


def called(forecast: pl.DataFrame, artist: str) -> pl.DataFrame:
    """The rows of every artist with this name, but for case, diacritics and punctuation; an artist without has its id.

    Raises:
        RefusedError: there is none; the hint names the nearest three.
    """
    from pozytywka_cli.catalogue import names
    from pozytywka_cli.catalogue.string_index import Index

    shown = forecast.select(pl.coalesce("name", "artist_id")).to_series()
    key = names.key(artist)
    found = forecast.filter(shown.map_elements(names.key, pl.String) == key)
    if found.is_empty():
        every = shown.unique(maintain_order=True).to_list()
        nearest = Index.of([names.key(name) for name in every]).nearest(key, names.SUGGESTED)
        raise RefusedError(f'no artist is called "{artist}"', names.suggestion(every[row] for row, _ in nearest))
    return found
