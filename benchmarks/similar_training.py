"""Training of similar: beside bare implicit on the same matrix, and as long as 2024 may take it."""

from collections.abc import Iterator
from pathlib import Path

import implicit.cpu.als
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.figure import DATA, POZYTYWKA, Figure, ratio
from benchmarks.timing import call, command, in_turn
from pozytywka_cli.families.similar.features import from_scrobbles
from pozytywka_cli.families.similar.train import fitted
from pozytywka_cli.families.similar.weighting import weighted
from pozytywka_cli.records import silent
from pozytywka_cli.settings import SimilarSettings


def measured(scratch: Path) -> Iterator[Figure]:
    """The figures, one after the other."""
    folder, settings = DATA / "lastfm", SimilarSettings()
    heard = from_scrobbles(folder / "lastfm_user_scrobbles.csv", folder / "lastfm_artist_list.csv", print)
    weights, _ = weighted(heard.counts, settings)

    def bare() -> None:
        with threadpool_limits(1, "blas"):  # as implicit asks for
            model = implicit.cpu.als.AlternatingLeastSquares(
                factors=settings.factors,
                regularization=settings.regularization,
                iterations=settings.iterations,
                random_state=np.random.default_rng(0),
            )
            model.fit(weights, show_progress=False)

    ours = call(lambda: fitted(heard, settings, seed=0, device="cpu", report=silent))
    found = in_turn(ours, call(bare))
    yield ratio("(counts to the model that serves - .2 s) ÷ bare implicit, Last.fm", found, 1.1, less=0.2)
    folders = ("--data-dir", DATA / "pozytywka-2024", "--artifacts-dir", scratch / "artifacts")
    command(POZYTYWKA, "-q", "transform", *folders)()
    trained = command(POZYTYWKA, "-q", "train", "similar", *folders)()
    yield Figure("train similar on 2024: seconds", trained.seconds, 15, f"{trained.megabytes:,.0f} MB")
