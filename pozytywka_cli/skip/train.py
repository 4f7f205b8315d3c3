"""Fit a skip model: first measured on plays later than those it learned from, then fitted on all plays."""

import math
from dataclasses import replace

from pozytywka_cli.artifacts import Draft, Trained
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.evaluation import log_loss, paired_difference
from pozytywka_cli.records import Gate, Report
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.skip import BASELINE
from pozytywka_cli.skip.history import Floats, canonical
from pozytywka_cli.skip.learn import Learned, learn
from pozytywka_cli.skip.measure import Split, everything, figures, time_split

MARGIN = 0.001  # of log loss, in nats

SIGNATURE = {
    "inputs": {
        "user_id": "int64",
        "session_id": "int64 or null",
        "track_id": "string",
        "started_at": "UTC, µs",
        "advertisement_before": "bool",
    },
    "outputs": {"probability": "float64, of a skip"},
}
USE = "Says how likely a user is to skip a track, at the moment it starts."
NO_GAIN = "the networks do not beat the constant on validation plays by more than chance: the model is the constant"
LIMITS = (
    "It knows a user by past plays alone: a new user gets what is usual. It says how likely a skip is, not why, "
    "and a track that is skipped may still be liked."
)


def train(service: Service, settings: SkipSettings, *, variant: str, seed: int, device: str, report: Report) -> Trained:
    """Measure a variant beside the constant on the last fifth of the log's time, and fit it on all plays.

    Raises:
        RefusedError: fewer than 100 plays or 2 users, or plays that all went the same way.
    """
    service = replace(service, plays=canonical(service.plays))
    split = time_split(service.plays)
    plain, baseline = _both(BASELINE, service, split, settings, seed=seed, device=device, report=report)
    if variant == BASELINE:
        return Trained(baseline, baseline)
    ours, model = _both(variant, service, split, settings, seed=seed, device=device, report=report)
    gate = _gate(ours, plain, service, split)
    return Trained(replace(model, metrics=model.metrics + baseline.metrics, gate=gate), baseline)


def _both(
    variant: str, service: Service, split: Split, settings: SkipSettings, *, seed: int, device: str, report: Report
) -> tuple[Floats, Draft]:
    """The probabilities of the test plays by a model fitted before them, and the draft of one fitted on all plays."""
    measured = learn(variant, service, split, settings, seed=seed, device=device, report=report)
    test = service.plays.filter(split.test)
    probability = measured.model.predict_proba(test, service)
    served = learn(
        variant,
        service,
        everything(service.plays),
        settings,
        stop_after=measured.best,
        seed=seed,
        device=device,
        report=report,
    )
    draft = Draft(
        variant=variant,
        write=served.model.save,
        signature=SIGNATURE,
        metrics=figures(variant, split.protocol, test, probability),
        use=USE,
        limits=LIMITS,
        notes=served.notes + ([NO_GAIN] if measured.best and not any(measured.best) else []),
        epochs=_records(measured),
    )
    return probability, draft


def _records(measured: Learned) -> list[dict[str, float]]:
    # without their seconds, so that the same run gives the same bytes; JSON has no NaN
    return [
        {"member": member, "epoch": epoch.epoch}
        | {
            name: loss
            for name, loss in (("train_loss", epoch.train_loss), ("validation_loss", epoch.validation_loss))
            if not math.isnan(loss)
        }
        for member, epochs in enumerate(measured.epochs)
        for epoch in epochs
    ]


def _gate(ours: Floats, plain: Floats, service: Service, split: Split) -> Gate:
    """Is the model's log loss worse than the constant's by more than .001? Users are resampled."""
    test = service.plays.filter(split.test)
    loss, baseline = (log_loss(test["skipped"].to_numpy(), probability) for probability in (ours, plain))
    difference, low, high = paired_difference(loss, baseline, test["user_id"].to_numpy())
    return Gate("log loss", float(loss.mean()), float(baseline.mean()), BASELINE, difference, low, high, MARGIN)
