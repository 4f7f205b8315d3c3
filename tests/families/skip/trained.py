"""One small dataset and its models, trained once for all tests."""

from functools import cache

from pozytywka_cli.artifacts import Trained
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.skip.train import train
from pozytywka_cli.records import Row, silent
from pozytywka_cli.settings import SkipSettings

from .worlds import listeners

QUICK = SkipSettings(epochs=6, learning_rate=5e-3)


@cache
def planted() -> Dataset:
    """Half of the users skip what one can dance to, the others what one cannot."""
    return listeners(1, users=30, each=80, persona=True)


@cache
def trained(variant: str) -> Trained:
    """That service's model."""
    return train(planted(), QUICK, variant=variant, seed=0, device="cpu", report=silent)


def value(rows: list[Row], variant: str, metric: str) -> float:
    """One figure."""
    (found,) = (row.value for row in rows if (row.variant, row.metric) == (variant, metric))
    return found
