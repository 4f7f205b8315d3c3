"""One small dataset and its models, trained once for all tests."""

from dataclasses import replace
from functools import cache

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.family import Trained, TrainingRun
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.records import Row

from .worlds import listeners

QUICK = TrainingRun(SkipSettings(epochs=6, learning_rate=5e-3), FAMILY.default)
DEFAULT = TrainingRun(SkipSettings(), FAMILY.default)
VARIANTS = list(FAMILY.variants)
BASELINES = [name for name, variant in FAMILY.variants.items() if variant.baseline]


@cache
def personas() -> Dataset:
    """Half of the users skip danceable tracks, the others all other tracks."""
    return listeners(1, users=30, each=80, persona=True)


@cache
def trained(variant: str) -> Trained:
    """A variant trained on that dataset."""
    return FAMILY.train(personas(), replace(QUICK, variant=variant))


def value(rows: list[Row], variant: str, metric: str) -> float:
    """The value of one metric."""
    (row_value,) = (row.value for row in rows if (row.variant, row.metric) == (variant, metric))
    return row_value
