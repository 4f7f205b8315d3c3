"""The models that are open: those that are promoted, and others that were asked for."""

import asyncio
import gc
import logging
import time
from collections import OrderedDict
from pathlib import Path

from pozytywka_cli.artifacts import LOOKUP_BYTES, Store, Version
from pozytywka_cli.artifacts.prepared import FILE
from pozytywka_cli.errors import ArtifactError, NotFoundError, PozytywkaError
from pozytywka_cli.families import registry
from pozytywka_cli.families.capabilities import BuildsOn
from pozytywka_cli.pipeline import versions
from pozytywka_cli.serving.preparation import Preparation
from pozytywka_cli.serving.served import Served, State, open_version, stamp

SECONDS = 0.25  # between two looks at what is promoted
RETRY_SECONDS = 10.0  # until a version that could not be opened is tried again, if nothing changes before
MOST_OTHERS = 8  # versions that are open beside the promoted ones
logger = logging.getLogger(__name__)


class Models:
    """Opens versions, follows promotions, and hands out the version that answers a request.

    problems: by family, why its promoted version could not be opened
    """

    def __init__(self, store: Store, events: Path, preparation: Preparation) -> None:
        self._store, self._events, self._preparation = store, events, preparation
        self._promoted: dict[str, Served] = {}
        self._states: dict[str, State] = {}
        self._tried: dict[str, tuple[State, float]] = {}  # and when to try the same again, if it failed
        self._others: OrderedDict[tuple[str, str], Served] = OrderedDict()
        self._opening: dict[tuple[str, str], asyncio.Task[Served]] = {}
        self.problems: dict[str, PozytywkaError] = {}

    @property
    def open(self) -> list[Served]:
        """All open versions, the promoted ones first."""
        return [*self._promoted.values(), *self._others.values()]

    @property
    def is_ready(self) -> bool:
        """Whether every family with a promoted version was opened, or cannot be; and at least one was."""
        names = [name for name in registry.names() if self._store.promoted(name)]
        return bool(self._promoted) and all(name in self._promoted or name in self.problems for name in names)

    def is_promoted(self, served: Served) -> bool:
        """Return whether a version is the promoted one of its family."""
        return self._promoted.get(served.family) is served

    def promoted(self, family: str) -> Served:
        """Return the promoted version of a family.

        Raises:
            ArtifactError: there is none, or it cannot be opened.
        """
        if served := self._promoted.get(family):
            return served
        if problem := self.problems.get(family):
            raise problem.with_traceback(None)  # the same object again and again
        if self._store.promoted(family):
            raise ArtifactError(f"the model of {family} is not open yet", "Try again in a moment; see /readyz.")
        raise ArtifactError(f"no {family} model is promoted", f"Train one: `pozytywka train {family}`.")

    async def find(self, family: str, name: str | None, *, prepare: bool = False) -> Served:
        """Return the version that a name stands for: a variant, or a version or its beginning; None: the promoted one.

        prepare: whether it may be prepared first, which takes seconds and much memory

        Raises:
            NotFoundError: there is no such version.
            ArtifactError: it cannot be opened.
        """
        if name is None:
            return self.promoted(family)
        try:
            found = await asyncio.to_thread(versions.full_name, self._store, family, name)
        except ArtifactError as error:
            raise NotFoundError(error.message, error.hint) from None
        current = self._promoted.get(family)
        if current is not None and current.version.name == found:
            return current
        key = (family, found)
        if key in self._others:
            self._others.move_to_end(key)
            return self._others[key]
        if key not in self._opening:
            self._opening[key] = asyncio.create_task(self._open_other(key, prepare=prepare))
        return await asyncio.shield(self._opening[key])

    async def _open_other(self, key: tuple[str, str], *, prepare: bool) -> Served:
        family, name = key
        try:
            version = await asyncio.to_thread(self._store.load, family, name, hash_limit=LOOKUP_BYTES)
            if prepare:
                await self._preparation.ensure(version)
            self._others[key] = await self._open(version)
            while len(self._others) > MOST_OTHERS:
                self._others.popitem(last=False)
            return self._others[key]
        finally:
            del self._opening[key]

    async def follow(self) -> None:
        """Keep what answers up to date, for ever."""
        await asyncio.gather(self._follow_others(), *map(self._follow_promoted, registry.names()))

    async def _follow_promoted(self, family: str) -> None:
        """Open what is promoted, again whenever that, or what was prepared for it, changes; follow the events."""
        while True:
            try:
                await self._refresh(family)
                if served := self._promoted.get(family):
                    served.catch_up()
                if self._states.get(family) == self._state(family):
                    self.problems.pop(family, None)
            except Exception as error:  # whatever it is, the next promotion must be picked up
                self._failed(family, error)
            await asyncio.sleep(SECONDS)

    async def _follow_others(self) -> None:
        """Follow the events, and open a version again if it was prepared from newer data; one that fails is dropped."""
        while True:
            for key, served in [*self._others.items()]:
                try:
                    served.catch_up()
                    if self._prepared(served.version) != served.state:
                        self._others[key] = await self._open(served.version)
                except Exception as error:  # as above
                    self._others.pop(key, None)
                    logger.error("%s %s is not open any more: %s", *key, error)
            await asyncio.sleep(SECONDS)

    async def _refresh(self, family: str) -> None:
        state = self._state(family)
        failed, again = self._tried.get(family, (None, 0.0))
        if state == self._states.get(family) or (state == failed and time.monotonic() < again):
            return
        self._tried[family] = state, time.monotonic() + RETRY_SECONDS
        if self._store.promoted(family) is None:
            self._promoted.pop(family, None)
            self._states[family] = state
            return
        version = await asyncio.to_thread(self._store.load, family, hash_limit=LOOKUP_BYTES)
        await self._preparation.ensure(version)
        state = self._state(family)
        self._promoted[family] = await self._open(version)
        self._states[family] = state if state[0] == version.name else ()
        _collect_garbage()
        logger.info("Opened %s %s %s.", family, version.manifest.variant, version.name)

    async def _open(self, version: Version) -> Served:
        state = self._prepared(version)
        return await asyncio.to_thread(open_version, self._store, version, self._events, state)

    def _failed(self, family: str, error: Exception) -> None:
        """Remember, and log once, why a family does not answer, or answers from an earlier version; open it again."""
        known = self.problems.get(family)
        problem = error if isinstance(error, PozytywkaError) else ArtifactError(f"{type(error).__name__}: {error}")
        if known is None or known.message != problem.message:
            logger.error("%s", problem.message, extra={"hint": problem.hint})
        self.problems[family] = problem
        self._states.pop(family, None)

    def _state(self, family: str) -> State:
        """Return what changes when the promoted version of a family must be opened, perhaps again."""
        name = self._store.promoted(family)
        return name, self._of_files(family, name) if name else ()

    def _prepared(self, version: Version) -> State:
        """Return what changes when a version is prepared again, or what it builds on is another."""
        return self._of_files(version.manifest.family, version.name)

    def _of_files(self, family: str, name: str) -> State:
        one = registry.get(family)
        other = self._state(one.builds_on) if isinstance(one, BuildsOn) else ()
        return stamp(self._store.root / family / "prepared" / name / FILE), other


def _collect_garbage() -> None:
    """Free what an earlier version has left, and never look again at what is there now.

    Else every full collection would look at hundreds of thousands of objects of modules and models, which holds up all
    requests for tens of milliseconds.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
