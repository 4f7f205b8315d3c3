"""Plans of training runs, before any work is done."""

import pytest

from pozytywka_cli.errors import UsageError
from pozytywka_cli.families.registry import FAMILIES, on_gpu, variants
from pozytywka_cli.pipeline.train import Plan


@pytest.mark.parametrize("family", FAMILIES)
def test_only_what_a_gpu_fits_may_ask_for_one(family: str) -> None:
    """A variant that would be fitted on the CPU without a word is refused by name; every default may ask."""
    for variant in variants(family):
        plan = Plan(settings=None, seed=0, device="cuda", variant=variant)
        if variant in on_gpu(family):
            plan.check([family])
            continue
        with pytest.raises(UsageError, match=f"{family} {variant} is not fitted on a GPU") as refused:
            plan.check([family])
        assert refused.value.hint == f"Leave out --gpu; it fits {', '.join(on_gpu(family))}."
    Plan(settings=None, seed=0, device="cuda").check([family])
