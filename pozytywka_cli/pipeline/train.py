"""Train families: search settings, skip what was done before, train, save, test the gate, promote, record the run."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from pozytywka_cli import __version__, files, tuning
from pozytywka_cli.artifacts import Origin, Store, Version
from pozytywka_cli.artifacts.fingerprint import code_digest
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import PozytywkaError, UsageError
from pozytywka_cli.families import registry
from pozytywka_cli.families.capabilities import Tunable
from pozytywka_cli.families.family import Family, TrainingRun
from pozytywka_cli.pipeline import builds_on, each
from pozytywka_cli.records import Gate, Report, silent
from pozytywka_cli.settings import Settings


class Tuned(msgspec.Struct, frozen=True):
    """The result of a search for settings.

    trials: how many settings were tried
    best: the number of the trial with the lowest loss; 0 is that of the settings in force
    settings: the searched settings of the best trial
    metric: what the losses are
    loss, loss_in_force: of the best trial, and of the settings in force
    """

    trials: int
    best: int
    settings: dict[str, Any]
    metric: str
    loss: float
    loss_in_force: float


class Outcome(msgspec.Struct, frozen=True):
    """The result of training one family.

    promoted: the version that predictions use from now on because of this run, if there is one
    unchanged: the same data, settings, seed and code had made this version before, and nothing was trained
    """

    family: str
    variant: str
    version: str
    promoted: str | None
    unchanged: bool
    gate: Gate | None
    notes: list[str]
    fallback_for: str | None = None
    chosen_over: str | None = None
    limited: bool = False
    tuned: Tuned | None = None

    @property
    def passed(self) -> bool:
        """Whether the model passed the gate, or there was none."""
        return self.gate is None or self.gate.passed


@dataclass(frozen=True)
class Plan:
    """How to train.

    variant: None for the default variant of each family
    until: use only what happened before this moment
    trials: how many settings to try before training; 0 for no search
    jobs: how many trials run at a time
    """

    settings: Settings
    seed: int
    device: str
    until: datetime | None = None
    variant: str | None = None
    force: bool = False
    promote: bool = True
    trials: int = 0
    jobs: int = 1

    def check(self, families: list[Family]) -> None:
        """Raise a UsageError if a family lacks the variant, or has nothing to tune or to fit on a GPU."""
        if self.jobs > 1 and not self.trials:
            raise UsageError("--jobs needs --tune", "Add --tune N, or leave out --jobs.")
        for family in families:
            name, variant = registry.variant(family, self.variant)
            if self.trials:
                _tunable(family, name)
            if self.device != "cpu" and not variant.gpu:
                able = ", ".join(name for name, one in family.variants.items() if one.gpu) or "none"
                problem = f"{family.name} {name} cannot be trained on a GPU"
                raise UsageError(problem, f"Leave out --gpu; variants that can: {able}.")


@dataclass(frozen=True)
class Run:
    """A training run: the outcome of each family, or the error that kept it from being trained."""

    started: datetime
    outcomes: list[Outcome]
    errors: dict[str, PozytywkaError]


@contextmanager
def training(store: Store, families: list[Family]) -> Iterator[None]:
    """Lock these families for training; a BusyError if another run is training one of them."""
    with ExitStack() as locks:
        for family in families:
            locks.enter_context(store.training(family.name))
        yield


def train(store: Store, families: list[Family], dataset: Dataset, plan: Plan, progress: Report) -> Run:
    """Train these families; one that cannot be trained does not keep the others from it."""
    started = datetime.now(UTC)
    outcomes, errors = each(families, lambda family: train_one(store, family, dataset, plan, progress))
    return Run(started, list(outcomes.values()), errors)


def train_one(store: Store, family: Family, dataset: Dataset, plan: Plan, progress: Report) -> Outcome:
    """Train and save a family, after a search for better settings if the plan asks for one.

    The caller holds the lock for training it. The lock for writing is only held while versions are saved and promoted,
    and is waited for, so that no training is lost.

    If the model does not pass the gate, the baseline is promoted in its place. Too little data is a RefusedError, a
    damaged file of trials an ArtifactError.
    """
    name, _ = registry.variant(family, plan.variant)
    settings = plan.settings.section(family.name, family.Settings)
    rivals = () if plan.variant else family.rivals  # who names a variant gets it
    other = builds_on.version(store, family, (name, *rivals))
    refitting = builds_on.refitting(other, progress)
    run = TrainingRun(settings, name, plan.seed, plan.device, progress, rivals, other=refitting)
    origin = Origin(
        family=family.name,
        variant=name,
        settings=msgspec.to_builtins(run.settings),
        seed=plan.seed,
        device=plan.device,
        until=plan.until.isoformat() if plan.until else None,
        inputs=dataset.inputs,
        code=code_digest(registry.MODULES[family.name]),
        rivals=rivals,
        builds_on=None if other is None else other.manifest.fingerprint,
    )
    if not plan.trials:
        return _train(store, family, origin, dataset, run, plan)
    run, tuned = _tune(store, family, origin, dataset, run, plan)
    origin = msgspec.structs.replace(origin, settings=msgspec.to_builtins(run.settings))
    return msgspec.structs.replace(_train(store, family, origin, dataset, run, plan), tuned=tuned)


def _tunable(family: Family, variant: str) -> Tunable:
    if isinstance(family, Tunable) and family.variants[variant].space:
        return family
    families = [registry.get(name) for name in registry.names()]
    tunable = [f"{one.name} {name}" for one in families for name, details in one.variants.items() if details.space]
    hint = f"Leave out --tune, or tune one of: {', '.join(tunable)}."
    raise UsageError(f"{family.name} {variant} has no settings to tune", hint)


def _tune(
    store: Store, family: Family, origin: Origin, dataset: Dataset, run: TrainingRun, plan: Plan
) -> tuple[TrainingRun, Tuned]:
    """Search settings; the origin of a run with the settings in force identifies the search."""
    space = family.variants[run.variant].space
    candidates = [tuning.drawn(space, run.settings, number, plan.seed) for number in range(plan.trials)]
    trials = tuning.search(
        candidates,
        partial(_loss, family.name, dataset, replace(run, progress=silent)),
        file=store.root / family.name / "trials.jsonl",
        fingerprint=origin.fingerprint,
        variant=run.variant,
        jobs=plan.jobs,
        report=run.progress,
    )
    best = tuning.best(trials)
    settings = {name: best.settings[name] for name in space}
    metric = _tunable(family, run.variant).tuning_metric
    tuned = Tuned(len(trials), best.number, settings, metric, best.loss, trials[0].loss)
    return replace(run, settings=candidates[best.number]), tuned


def _loss(family: str, dataset: Dataset, run: TrainingRun, settings: msgspec.Struct) -> float:
    """Return the loss of settings, perhaps in another process."""
    return _tunable(registry.get(family), run.variant).trial(dataset, replace(run, settings=settings))


def _train(store: Store, family: Family, origin: Origin, dataset: Dataset, run: TrainingRun, plan: Plan) -> Outcome:
    baseline = msgspec.structs.replace(origin, variant=family.baseline, rivals=())
    if not plan.force:
        with store.lock(wait=True):
            outcome = _trained_before(store, origin, baseline, plan)
        if outcome:
            return outcome
    trained = family.train(dataset, run)
    with store.lock(wait=True):
        version = store.save(origin, trained.model)
        outcome = _outcome(version, unchanged=False)
        if not plan.promote:
            return outcome
        promoted = version if outcome.passed else store.save(baseline, trained.baseline)
        return msgspec.structs.replace(outcome, promoted=store.promote(family.name, promoted.name))


def _trained_before(store: Store, origin: Origin, baseline: Origin, plan: Plan) -> Outcome | None:
    """Return the outcome of an earlier run of this origin, if nothing that it should have made is missing.

    A run that was killed, or told not to promote, may have left a version that was never promoted: now it is. One that
    was promoted and rolled back stays back.
    """
    known = store.same(origin)
    if known is None:
        return None
    outcome = _outcome(known, unchanged=True)
    if not plan.promote:
        return outcome
    version = known if outcome.passed else store.same(baseline)
    if version is None:
        return None
    if store.problem(origin.family) is None and store.was_promoted(origin.family, version.name):
        return outcome
    return msgspec.structs.replace(outcome, promoted=store.promote(origin.family, version.name))


def _outcome(version: Version, *, unchanged: bool) -> Outcome:
    made = version.manifest
    return Outcome(
        family=made.family,
        variant=made.variant,
        version=made.version,
        promoted=None,
        unchanged=unchanged,
        gate=made.gate,
        notes=made.notes,
        fallback_for=made.fallback_for,
        chosen_over=made.chosen_over,
        limited=made.limited,
    )


def record(root: Path, command: str, run: Run, plan: Plan) -> Path:
    """Write `runs/<run id>.json`: what was run, when, how, and with which outcome."""
    target = root / "runs" / f"{run.started:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}.json"
    facts = {
        "format": 1,
        "command": command,
        "pozytywka": __version__,
        "started": run.started,
        "ended": datetime.now(UTC),
        "seed": plan.seed,
        "device": plan.device,
        "until": plan.until,
        "outcomes": run.outcomes,
        "refused": {name: error.message for name, error in run.errors.items()},
    }
    files.write_text(target, files.indented_json(facts).decode())
    return target
