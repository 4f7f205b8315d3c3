"""A training run over families: tune, was it done before, train, save, hold to the gate, promote, leave a record."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from pozytywka_cli import __version__, files, tuning
from pozytywka_cli.artifacts import Origin, Store, Version
from pozytywka_cli.errors import ArtifactError, PozytywkaError, UsageError
from pozytywka_cli.families.registry import registry
from pozytywka_cli.records import Gate, Report


class Tuned(msgspec.Struct, frozen=True):
    """What a search among so many trials found.

    best: the number of the trial with the lowest `loss`; 0 is that of the settings in force, whose loss is `in_force`.
    settings: those that were searched, as the best trial has them.
    metric: what the losses are.
    """

    trials: int
    best: int
    settings: dict[str, Any]
    metric: str
    loss: float
    in_force: float


class Outcome(msgspec.Struct, frozen=True):
    """What became of one family's training: `promoted` is the version that serves because of it, if one does.

    `unchanged`: the same data, settings, seed and code had made this version before, and nothing was done.
    """

    family: str
    variant: str
    version: str
    promoted: str | None
    unchanged: bool
    gate: Gate | None
    notes: list[str]
    tuned: Tuned | None = None

    @property
    def passed(self) -> bool:
        """Whether the gate, if there was one, was met."""
        return self.gate is None or self.gate.passed


@dataclass(frozen=True)
class Plan:
    """How to train: `variant` None is each family's default, `until` is exclusive.

    `tune` is the number of trials of a search for better settings, 0 for none, and `jobs` how many run at a time.
    """

    settings: Any
    seed: int
    device: str
    until: datetime | None = None
    variant: str | None = None
    force: bool = False
    promote: bool = True
    tune: int = 0
    jobs: int = 1

    def check(self, names: list[str]) -> None:
        """Refuse a plan that these families cannot follow, before any work is done.

        Raises:
            UsageError: a family lacks the variant, or has nothing to tune or to fit on a GPU; jobs without trials.
        """
        if self.jobs > 1 and not self.tune:
            raise UsageError("--jobs is for trials, and there are none", "Add --tune N, or leave out --jobs.")
        for name in names:
            variant = self.variant_of(name)
            if self.tune:
                registry.space(name, variant)
            if self.device != "cpu" and variant not in registry.on_gpu(name):
                able = ", ".join(registry.on_gpu(name))
                raise UsageError(f"{name} {variant} is not fitted on a GPU", f"Leave out --gpu; it fits {able}.")

    def variant_of(self, family: str) -> str:
        """The variant to train.

        Raises:
            UsageError: the family has no such variant.
        """
        known = registry.variants(family)
        if self.variant is None:
            return known[0]
        if self.variant not in known:
            raise UsageError(f"{family} has no variant {self.variant!r}", f"Choose from {', '.join(known)}.")
        return self.variant


@dataclass(frozen=True)
class Run:
    """What became of every family: an outcome, or the reason why there is none."""

    started: datetime
    outcomes: list[Outcome]
    refused: dict[str, PozytywkaError]


def train(store: Store, names: list[str], source: Any, plan: Plan, report: Report) -> Run:
    """Train these families; one that cannot be trained does not keep the others from it."""
    run = Run(datetime.now(UTC), [], {})
    for name in names:
        try:
            run.outcomes.append(train_one(store, name, source, plan, report))
        except PozytywkaError as error:
            run.refused[name] = error
    return run


def train_one(store: Store, family: str, source: Any, plan: Plan, report: Report) -> Outcome:
    """Train a family, with the best settings of a search if the plan has one, and save it.

    Its baseline serves in its place where the gate is not met.

    Raises:
        RefusedError: there are too few data.
        ArtifactError: the trials of earlier searches are damaged.
    """
    settings = getattr(plan.settings, family)
    origin = Origin(
        family=family,
        variant=plan.variant_of(family),
        settings=msgspec.to_builtins(settings),
        seed=plan.seed,
        device=plan.device,
        until=plan.until.isoformat() if plan.until else None,
        inputs=source.inputs,
    )
    if not plan.tune:
        return _train(store, origin, source, settings, plan, report)
    settings, tuned = _tune(store, origin, source, settings, plan, report)
    origin = replace(origin, settings=msgspec.to_builtins(settings))
    return msgspec.structs.replace(_train(store, origin, source, settings, plan, report), tuned=tuned)


def _tune(store: Store, origin: Origin, source: Any, settings: Any, plan: Plan, report: Report) -> tuple[Any, Tuned]:
    """The best settings found; the origin of a run with those in force identifies the search."""
    space, family = registry.space(origin.family, origin.variant), registry.tuning(origin.family)
    candidates = [tuning.drawn(space, settings, number, plan.seed) for number in range(plan.tune)]
    trials = tuning.search(
        candidates,
        partial(family.trial, source, variant=origin.variant, seed=plan.seed, device=plan.device),
        file=store.root / origin.family / "trials.jsonl",
        fingerprint=origin.fingerprint,
        variant=origin.variant,
        jobs=plan.jobs,
        report=report,
    )
    best = tuning.best(trials)
    found = {name: best.settings[name] for name in space}
    return candidates[best.number], Tuned(len(trials), best.number, found, family.METRIC, best.loss, trials[0].loss)


def _train(store: Store, origin: Origin, source: Any, settings: Any, plan: Plan, report: Report) -> Outcome:
    if not plan.force and (outcome := _done_before(store, origin, plan)):
        return outcome
    trained = registry.training(origin.family).train(
        source, settings, variant=origin.variant, seed=plan.seed, device=plan.device, report=report
    )
    version = store.save(origin, trained.model)
    outcome = _outcome(version, promoted=None, unchanged=False)
    if not plan.promote:
        return outcome
    serving = version if outcome.passed else store.save(_baseline(origin), trained.baseline)
    return msgspec.structs.replace(outcome, promoted=store.promote(origin.family, serving.name))


def _done_before(store: Store, origin: Origin, plan: Plan) -> Outcome | None:
    """The outcome of an earlier run of this origin, if there was one and nothing that it should have made is missing.

    A run that was killed, or told not to promote, may have left a version that never served: now it does. One that
    served and was rolled back stays back.
    """
    known = store.same(origin)
    if known is None:
        return None
    outcome = _outcome(known, promoted=None, unchanged=True)
    if not plan.promote:
        return outcome
    serving = known if outcome.passed else store.same(_baseline(origin))
    if serving is None:
        return None
    if _something_serves(store, origin.family) and store.has_served(origin.family, serving.name):
        return outcome
    return msgspec.structs.replace(outcome, promoted=store.promote(origin.family, serving.name))


def _something_serves(store: Store, family: str) -> bool:
    try:
        store.load(family)
    except ArtifactError:
        return False
    return True


def _baseline(origin: Origin) -> Origin:
    return replace(origin, variant=registry.baseline(origin.family))


def _outcome(version: Version, *, promoted: str | None, unchanged: bool) -> Outcome:
    made = version.manifest
    return Outcome(made.family, made.variant, made.version, promoted, unchanged, made.gate, made.notes)


def record(root: Path, command: str, run: Run, plan: Plan) -> Path:
    """Write `runs/<run id>.json`: what was run, when, with what, and what came of it."""
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
        "refused": {name: error.message for name, error in run.refused.items()},
    }
    files.write_text(target, files.indented_json(facts).decode())
    return target
