"""The artifacts folder: save, load, promote, roll back, prune."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec

from pozytywka_cli import files
from pozytywka_cli.artifacts.card import card
from pozytywka_cli.artifacts.manifest import FORMAT, Draft, Manifest, Origin, Stored, Version, check_file, read_manifest
from pozytywka_cli.errors import ArtifactError, BusyError, UsageError

LOOKUP_BYTES = 16 * 2**20  # a lookup hashes files up to this size and only size-checks larger ones


class Store:
    """The artifacts folder at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store for writing.

        Raises:
            BusyError: another run holds it.
        """
        from filelock import FileLock, Timeout

        self.root.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.root / ".lock", timeout=0):
                yield
        except Timeout:
            raise BusyError(f"another run is writing to {self.root}", "Try again when it has ended.") from None

    def save(self, origin: Origin, draft: Draft) -> Version:
        """Write a version beside the others, whole or not at all; what serves does not change.

        The fingerprint is that of the variant asked for, which the draft's may stand in for.
        """
        created = datetime.now(UTC)
        name = f"{created:%Y%m%dT%H%M%SZ}-{origin.fingerprint[:8]}"
        while (self._versions(origin.family) / name).exists():  # the same run again within a second
            name += "+"
        target = self._versions(origin.family) / name
        temporary = target.with_name(f".{name}.{uuid4().hex[:8]}.tmp")
        temporary.mkdir(parents=True)
        with files.explained(target), files.removed(temporary):
            draft.write(temporary)
            (temporary / "card.md").write_text(card(origin, draft), encoding="utf-8")
            metrics = {"rows": draft.metrics, "epochs": draft.epochs}
            (temporary / "metrics.json").write_bytes(files.indented_json(metrics))
            manifest = self._manifest(origin, draft, created, temporary, name)
            (temporary / "manifest.json").write_bytes(files.indented_json(manifest))
            mode = (temporary / "manifest.json").stat().st_mode
            for path in temporary.iterdir():
                path.chmod(mode)  # some libraries write what nobody else may read
                files.flush(path)
            files.flush(temporary)
            temporary.replace(target)
            files.flush(target.parent)
        return Version(target, manifest)

    def _manifest(self, origin: Origin, draft: Draft, created: datetime, folder: Path, name: str) -> Manifest:
        return Manifest(
            format=FORMAT,
            family=origin.family,
            variant=draft.variant,
            version=name,
            parent=self.serving(origin.family),
            created=f"{created:%Y-%m-%dT%H:%M:%SZ}",
            libraries=_libraries(),
            device=origin.device,
            seed=origin.seed,
            until=origin.until,
            settings=origin.settings,
            inputs=origin.inputs,
            signature=draft.signature,
            metrics=draft.metrics,
            gate=draft.gate,
            notes=draft.notes,
            fallback_for=draft.fallback_for,
            fingerprint=origin.fingerprint,
            files={path.name: Stored(files.sha256(path), path.stat().st_size) for path in sorted(folder.iterdir())},
        )

    def names(self, family: str) -> list[str]:
        """The versions of a family, oldest first."""
        folder = self._versions(family)
        if not folder.is_dir():
            return []
        return sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")

    def serving(self, family: str) -> str | None:
        """The name of the version that serves, if any."""
        link = self.root / family / "current"
        return link.readlink().name if link.is_symlink() else None

    def resolve(self, family: str, name: str) -> str:
        """The full name of a version from its beginning or its end.

        Raises:
            ArtifactError: no version, or more than one, is meant.
        """
        names = self.names(family)
        found = [v for v in names if v == name] or [
            v for v in names if name and (v.startswith(name) or v.endswith(name))
        ]
        if len(found) == 1:
            return found[0]
        problem = "could be several versions" if found else "is no version"
        raise ArtifactError(f"{name!r} {problem} of {family}", "See `pozytywka models list`.")

    def load(self, family: str, name: str | None = None, *, hash_limit: int | None = None) -> Version:
        """A version (default: the one that serves) after checking its manifest, then each file's size and hash.

        Raises:
            ArtifactError: nothing there, damaged, or written by a newer pozytywka.
        """
        name = self.serving(family) if name is None else self.resolve(family, name)
        if name is None:
            raise ArtifactError(f"no {family} model in {self.root}", f"Make one with `pozytywka train {family}`.")
        folder, manifest = self._versions(family) / name, self.manifest(family, name)
        for file, stored in manifest.files.items():
            check_file(folder / file, stored, hash_limit=hash_limit)
        return Version(folder, manifest)

    def manifest(self, family: str, name: str) -> Manifest:
        """The manifest of the version in the folder of this name.

        Raises:
            ArtifactError: missing, damaged, of a newer format, or of another version than the folder says.
        """
        folder = self._versions(family) / name
        manifest = read_manifest(folder)
        if (manifest.family, manifest.version) != (family, name):
            problem = f"{folder} is no {family} version of that name: it holds {manifest.family} {manifest.version}"
            raise ArtifactError(problem, "Remove it, or give it back its own name and place.")
        return manifest

    def verified(self, family: str) -> list[tuple[str, str | None]]:
        """Each version with what is wrong with it, all its files hashed; `current` too, if it is none of them."""
        found = {name: self._problem(family, name) for name in self.names(family)}
        if self.serving(family) not in found:
            found["current"] = self._problem(family, None)
        return list(found.items())

    def _problem(self, family: str, name: str | None) -> str | None:
        try:
            self.load(family, name)
        except ArtifactError as error:
            return error.message
        return None

    def same(self, origin: Origin) -> Version | None:
        """The latest undamaged version that a run of this origin has already made."""
        for name in reversed(self.names(origin.family)):
            try:
                if read_manifest(self._versions(origin.family) / name).fingerprint == origin.fingerprint:
                    return self.load(origin.family, name)
            except ArtifactError:
                continue
        return None

    def promote(self, family: str, name: str) -> str:
        """Let a version serve and return its full name; the one before stays known to `rollback`."""
        version = self.load(family, name).name
        try:
            served = self._served(family)
        except ArtifactError:
            served = []  # what was is lost; what serves from now on is not kept back by that
        if version != self.serving(family):
            self._serve(family, [*served, version])
        return version

    def rollback(self, family: str) -> str:
        """Let the version that served before serve again, and return its name.

        Raises:
            ArtifactError: none served before, or it is damaged.
        """
        served, current = self._served(family), self.serving(family)
        while served and served[-1] == current:
            served.pop()
        if not served:
            raise ArtifactError(f"no other {family} model served before", "See `pozytywka models list`.")
        self.load(family, served[-1])
        withdrawn = msgspec.json.encode([*self._names(family, "withdrawn.json"), current])
        files.write_text(self.root / family / "withdrawn.json", withdrawn.decode())
        self._serve(family, served)
        return served[-1]

    def has_served(self, family: str, name: str) -> bool:
        """Whether a version serves, or did: somebody may have rolled it back since. If that is lost, it may have."""
        try:
            return name in (*self._served(family), *self._names(family, "withdrawn.json"))
        except ArtifactError:
            return True

    def prune(self, family: str, keep: int) -> list[str]:
        """Remove all but the newest `keep` versions and the one that serves, and what kills left; returns what went."""
        if keep < 0:
            raise UsageError(f"--keep {keep} is negative", "Give the number of versions to keep.")
        if self.serving(family) not in (names := self.names(family)):
            problem = f"no {family} version serves, so that none can be told to be old"
            raise ArtifactError(problem, "Let one serve with `pozytywka models promote`.")
        gone = [name for name in names[: max(len(names) - keep, 0)] if name != self.serving(family)]
        for left in self._versions(family).glob(".*.tmp"):
            shutil.rmtree(left)
        for name in gone:
            # renamed first: a kill in the middle must not leave half a version under its name
            doomed = self._versions(family) / f".{name}.{uuid4().hex[:8]}.tmp"
            (self._versions(family) / name).replace(doomed)
            shutil.rmtree(doomed)
        return gone

    def _versions(self, family: str) -> Path:
        return self.root / family / "versions"

    def _served(self, family: str) -> list[str]:
        """What served up to now, oldest first, without versions that were pruned.

        A kill between the two renames of `_serve` leaves a list that ends before or after the version that serves.
        """
        served = self._names(family, "served.json")
        current = self.serving(family)
        while current in served and served[-1] != current:
            served.pop()
        if current and current not in served:
            served.append(current)
        return [name for name in served if (self._versions(family) / name).is_dir()]

    def _names(self, family: str, file: str) -> list[str]:
        path = self.root / family / file
        try:
            return msgspec.json.decode(path.read_bytes(), type=list[str])
        except FileNotFoundError:
            return []
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ArtifactError(
                f"{path} is damaged: {error}", "Remove it; what served before is then forgotten."
            ) from None

    def _serve(self, family: str, served: list[str]) -> None:
        files.write_text(self.root / family / "served.json", msgspec.json.encode(served).decode())
        link = self.root / family / f".current.{uuid4().hex[:8]}.tmp"
        try:
            link.symlink_to(Path("versions") / served[-1])
            link.replace(self.root / family / "current")
        finally:
            link.unlink(missing_ok=True)
        files.flush(self.root / family)


def _libraries() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("pozytywka", "polars", "numpy", "torch", "scikit-learn", "implicit")}
