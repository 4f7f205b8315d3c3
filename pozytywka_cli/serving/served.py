"""An open version, which answers requests and follows events."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
from prometheus_client import Counter

from pozytywka_cli.artifacts import Store, Version
from pozytywka_cli.artifacts.prepared import Prepared
from pozytywka_cli.families import registry
from pozytywka_cli.families.capabilities import Online
from pozytywka_cli.families.predictor import Answerer, Observing
from pozytywka_cli.pipeline import online
from pozytywka_cli.serving import metrics
from pozytywka_cli.serving.event_log import Follower

Stamp = tuple[int, int]
State = tuple[object, ...]  # of the files that answers come from: when it changes, a version is opened again


class Served(msgspec.Struct, frozen=True):
    """An open version; a request keeps the one that it began with.

    following: the events that come, and the answerer that observes them, if it observes any
    state: of its files when it was opened
    since: when it was opened
    counter: of the predictions that it makes
    is_slow: whether it must not hold up the event loop
    """

    version: Version
    prepared: Prepared
    answerer: Answerer
    following: tuple[Follower, Observing] | None
    state: State
    since: datetime
    counter: Counter
    is_slow: bool

    @property
    def family(self) -> str:
        """The name of its family."""
        return self.version.manifest.family

    @property
    def variant(self) -> str:
        """The name of its variant."""
        return self.version.manifest.variant

    def catch_up(self) -> None:
        """Observe the events that were logged since the last call."""
        if self.following is not None:
            follower, answerer = self.following
            for events in follower.events():
                answerer.observe(events)


def open_version(store: Store, version: Version, events: Path, state: State) -> Served:
    """Open a version that was prepared, and let it observe what was logged in the folder `events` since then.

    Raises:
        ArtifactError: nothing is prepared, or a file is damaged.
    """
    prepared, answerer = online.open_answerer(store, version)
    following = None
    if isinstance(answerer, Observing):
        following = Follower.after(events, prepared.inputs), answerer
        answerer.observe(following[0].advertisements())
    counter = metrics.ANSWERS.labels(version.manifest.family, version.manifest.variant)
    family = registry.get(version.manifest.family)
    is_slow = isinstance(family, Online) and family.slow_online
    served = Served(version, prepared, answerer, following, state, datetime.now(UTC), counter, is_slow)
    served.catch_up()
    return served


def stamp(path: Path) -> Stamp | None:
    """Return what tells a file from another one that takes its place; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
