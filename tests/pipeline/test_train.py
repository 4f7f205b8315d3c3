"""Plans of training runs, before any work is done."""

import pytest

from pozytywka_cli.errors import UsageError
from pozytywka_cli.families import registry
from pozytywka_cli.pipeline.train import Plan
from pozytywka_cli.settings import Settings


@pytest.mark.parametrize("name", registry.names())
def test_only_variants_that_can_use_a_gpu_may_ask_for_one(name: str) -> None:
    """The others are refused by name, with those that can; the default variant of every family can."""
    family = registry.get(name)
    able = [variant for variant, details in family.variants.items() if details.gpu]
    for variant in family.variants:
        plan = Plan(Settings({}), seed=0, device="cuda", variant=variant)
        if variant in able:
            plan.check([family])
            continue
        with pytest.raises(UsageError, match=f"{name} {variant} ") as refused:
            plan.check([family])
        assert all(one in refused.value.hint for one in able)
    Plan(Settings({}), seed=0, device="cuda").check([family])


def test_jobs_need_trials() -> None:
    """Without a search there is nothing that several processes could do."""
    with pytest.raises(UsageError, match="--jobs"):
        Plan(Settings({}), seed=0, device="cpu", jobs=2).check([])
