"""The artifacts folder: save, find, load and check versions, promote them and roll back."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from pozytywka_cli.artifacts import cleaning, locks
from pozytywka_cli.artifacts.draft import Draft, Origin
from pozytywka_cli.artifacts.history import History
from pozytywka_cli.artifacts.manifest import Manifest, read_manifest
from pozytywka_cli.artifacts.version import Version, check_files
from pozytywka_cli.errors import ArtifactError, StorageError

LOOKUP_BYTES = 16 * 2**20  # a lookup hashes files up to this size before use; of larger ones it checks the size

T = TypeVar("T")


class Store:
    """The artifacts folder at `root`.

    Methods that read a version raise an ArtifactError if it is missing, damaged or of a newer format. Those that write
    are called under the `lock`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def lock(self, *, wait: bool = False) -> AbstractContextManager[None]:
        """Lock the store for writing, and remove what killed runs have left; see `locks.writing` for the errors."""
        return locks.writing(self.root, wait=wait)

    def training(self, family: str) -> AbstractContextManager[None]:
        """Lock a family for training; the store itself can be written to meanwhile. Errors as for `locks.held`."""
        return locks.held(self.root / family / ".lock", f"another run is training {family} in {self.root}", wait=False)

    def save(self, origin: Origin, draft: Draft) -> Version:
        """Write a new version, complete or not at all; it is not promoted.

        It is read back and checked, as any later command does, before it appears under its name. Its fingerprint is
        that of the variant in `origin`, which the draft may be a fallback for.

        Raises:
            StorageError: it cannot be written.
            ArtifactError: it cannot be read back.
        """
        from pozytywka_cli.artifacts import saving  # a lookup saves nothing

        return saving.save(self._versions(origin.family), origin, draft, parent=self.promoted(origin.family))

    def names(self, family: str) -> list[str]:
        """Return the versions of a family, oldest first; a link is listed too, though it cannot be loaded."""
        found = self._versions(family).glob("[!.]*")
        return sorted(path.name for path in found if path.is_dir() or path.is_symlink())

    def promoted(self, family: str) -> str | None:
        """Return the name of the promoted version; None if there is none."""
        return self._history(family).current

    def resolve(self, family: str, name: str) -> str:
        """Return the full name of a version from its beginning or its end; an ArtifactError if not one matches."""
        names = self.names(family)
        matches = [name] if name in names else [v for v in names if name and (v.startswith(name) or v.endswith(name))]
        if len(matches) == 1:
            return matches[0]
        problem = f"several {family} versions match {name!r}" if matches else f"unknown {family} version {name!r}"
        raise ArtifactError(problem, "See `pozytywka models list`.")

    def load(
        self,
        family: str,
        name: str | None = None,
        *,
        hash_limit: int | None = None,
        hash_later: Collection[str] = (),
    ) -> Version:
        """Load a version, the promoted one where `name` is None, and check its manifest, file sizes and hashes.

        Hashes of files larger than `hash_limit` bytes are not checked; for `hash_later` see `check_files`.
        """
        name = self.promoted(family) if name is None else self.resolve(family, name)
        if name is None:
            promote = f" or promote one: `pozytywka models promote {family} VERSION`" if self.names(family) else ""
            problem = f"no {family} model is promoted in {self.root}"
            raise ArtifactError(problem, f"Train one: `pozytywka train {family}`{promote}.")
        folder, manifest = self._versions(family) / name, self.manifest(family, name)
        return check_files(folder, manifest, hash_limit=hash_limit, hash_later=hash_later)

    def open(
        self,
        family: str,
        reader: Callable[[Version], T],
        *,
        hash_limit: int | None = None,
        hash_later: Collection[str] = (),
    ) -> T:
        """Return what `reader` makes of the promoted version.

        If another version is promoted meanwhile, and this one is removed before `reader` has read it, the other one is
        read.
        """
        while True:
            name = self.promoted(family)
            try:
                return reader(self.load(family, hash_limit=hash_limit, hash_later=hash_later))
            except (ArtifactError, StorageError, OSError):
                if self.promoted(family) == name:
                    raise

    def manifest(self, family: str, name: str) -> Manifest:
        """Read the manifest of a version; its other files are not checked."""
        return read_manifest(self._versions(family) / name, family, name)

    def verified(self, family: str) -> list[tuple[str, str | None]]:
        """Hash all files of every version; return each version with its problem, None for an undamaged one.

        `current` is listed too if the version that it should point to is missing.
        """
        problems = [(name, self.problem(family, name)) for name in self.names(family)]
        still_there = set(self.names(family))  # another run may have pruned one meanwhile
        missing = [("current", self.problem(family))] if self._history(family).current_is_missing else []
        return [(name, problem) for name, problem in problems if name in still_there] + missing

    def problem(self, family: str, name: str | None = None) -> str | None:
        """Return what is wrong with a version, the promoted one where `name` is None; None for an undamaged one."""
        try:
            self.load(family, name)
        except ArtifactError as error:
            return error.message
        return None

    def same(self, origin: Origin) -> Version | None:
        """Return the latest undamaged version that a run of this origin has already made."""
        fingerprint = origin.fingerprint
        for name in reversed(self.names(origin.family)):
            try:
                if self.manifest(origin.family, name).fingerprint == fingerprint:
                    return self.load(origin.family, name)
            except ArtifactError:
                continue
        return None

    def promote(self, family: str, name: str) -> str:
        """Promote a version: predictions use it from now on. Returns its full name."""
        version = self.load(family, name).name
        history = self._history(family)
        try:
            earlier = history.promoted()
        except ArtifactError:
            earlier = []  # a damaged history must not prevent a promotion
        if version != history.current:
            history.promote(version, earlier)
        return version

    def rollback(self, family: str) -> str:
        """Promote the version again that was promoted before the current one; an ArtifactError if there is none."""
        history = self._history(family)
        promoted, current = history.promoted(), history.current
        while promoted and promoted[-1] == current:
            promoted.pop()
        if not promoted:
            raise ArtifactError(f"no other {family} version was promoted before", "See `pozytywka models list`.")
        self.load(family, promoted[-1])
        history.roll_back(promoted)
        return promoted[-1]

    def was_promoted(self, family: str, name: str) -> bool:
        """Return whether a version is or was promoted and perhaps rolled back; True if its history is damaged."""
        history = self._history(family)
        try:
            return name in (*history.promoted(), *history.withdrawn())
        except ArtifactError:
            return True

    def prune(self, family: str, keep: int) -> list[str]:
        """Remove all but the newest `keep` versions and the promoted one; return the names.

        What was prepared for versions that are gone is removed as well.
        Nothing is removed where no version is promoted, for any of them may be about to be.

        Raises:
            ArtifactError: the promoted version is missing.
        """
        history, names = self._history(family), self.names(family)
        if history.current_is_missing:
            problem = f"the promoted {family} version is missing, so none was removed"
            raise ArtifactError(problem, "Promote one with `pozytywka models promote`.")
        if history.current is None:
            return []
        old = [name for name in names[: max(len(names) - keep, 0)] if name != history.current]
        for name in old:
            cleaning.remove_folder(self._versions(family) / name)
        for path in sorted((self.root / family / "prepared").glob("[!.]*")):
            if path.name not in self.names(family):
                cleaning.remove_folder(path)
        return old

    def _versions(self, family: str) -> Path:
        return self.root / family / "versions"

    def _history(self, family: str) -> History:
        return History(self.root / family)
