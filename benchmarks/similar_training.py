"""Training of similar: compared with bare implicit on the same matrix, and its time on the 2024 edition."""

from collections.abc import Iterator
from pathlib import Path

import implicit.cpu.als
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.figure import DATA, POZYTYWKA, Figure, ratio
from benchmarks.timing import call, command, in_turn
from pozytywka_cli.dataset.scrobbles import load_scrobbles
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar import FAMILY
from pozytywka_cli.families.similar.features import listens
from pozytywka_cli.families.similar.models.als import weighted
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.train import fit_all


def measured(scratch: Path) -> Iterator[Figure]:
    """Yield the figures."""
    folder, settings = DATA / "lastfm", SimilarSettings()
    counted = listens(load_scrobbles(folder / "lastfm_user_scrobbles.csv", folder / "lastfm_artist_list.csv", print))
    weights, _ = weighted(counted.counts, settings)

    def bare() -> None:
        with threadpool_limits(1, "blas"):  # as implicit recommends
            model = implicit.cpu.als.AlternatingLeastSquares(
                factors=settings.factors,
                regularization=settings.regularization,
                iterations=settings.iterations,
                random_state=np.random.default_rng(0),
            )
            model.fit(weights, show_progress=False)

    compared = in_turn(call(lambda: fit_all(counted, TrainingRun(settings, "als"))), call(bare))
    yield ratio("als: (counts to the final model - .2 s) ÷ bare implicit, Last.fm", compared, 1.1, less=0.2)
    default = TrainingRun(settings, FAMILY.default)
    compared = in_turn(call(lambda: fit_all(counted, default)), call(bare))
    yield ratio(f"{FAMILY.default}: counts to the final model ÷ bare implicit, Last.fm", compared, 2)
    folders = ("--data-dir", DATA / "pozytywka-2024", "--artifacts-dir", scratch / "artifacts")
    command(POZYTYWKA, "-q", "transform", *folders)()
    trained = command(POZYTYWKA, "-q", "train", "similar", *folders)()
    yield Figure("train similar on 2024: seconds", trained.seconds, 15, f"{trained.megabytes:,.0f} MB")
