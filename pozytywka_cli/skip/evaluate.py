"""The skip models beside their baselines: none sees anything later than the start of the play it judges."""

from dataclasses import replace

from pozytywka_cli.dataset.service import Service
from pozytywka_cli.records import Evaluated, Report
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.skip import VARIANTS
from pozytywka_cli.skip.features import user_rate
from pozytywka_cli.skip.history import Floats, canonical
from pozytywka_cli.skip.learn import learn
from pozytywka_cli.skip.measure import Split, figures, time_split


def evaluate(service: Service, settings: SkipSettings, *, seed: int, device: str, report: Report) -> Evaluated:
    """Every metric of every variant and of each user's running skip rate, on the last fifth of the log's time.

    Raises:
        RefusedError: fewer than 100 plays or 2 users, or plays that all went the same way.
    """
    service = replace(service, plays=canonical(service.plays))
    split = time_split(service.plays)
    found = probabilities(service, split, settings, seed=seed, device=device, report=report)
    test = service.plays.filter(split.test)
    return Evaluated(
        [row for variant, values in found.items() for row in figures(variant, split.protocol, test, values)]
    )


def probabilities(
    service: Service, split: Split, settings: SkipSettings, *, seed: int, device: str, report: Report
) -> dict[str, Floats]:
    """What each variant and the users' running skip rate say of the split's test plays: (test plays,) each."""
    test, found = service.plays.filter(split.test), {}
    for variant in VARIANTS:
        model = learn(variant, service, split, settings, seed=seed, device=device, report=report).model
        found[variant] = model.predict_proba(test, service)
    return found | {"user rate": user_rate(test, service, model.skip_rate)}
