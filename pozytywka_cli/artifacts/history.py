"""Which version of a family is promoted, and which versions were promoted before."""

from pathlib import Path

import msgspec

from pozytywka_cli import files, temporaries
from pozytywka_cli.artifacts.manifest import MOST_BYTES
from pozytywka_cli.errors import ArtifactError


class History:
    """The promotions of the family in `folder`: its link `current`, `served.json` and `withdrawn.json`.

    Reading a damaged file raises an ArtifactError.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def current(self) -> str | None:
        """The name of the promoted version; None if there is none."""
        link = self.folder / "current"
        return link.readlink().name if link.is_symlink() else None

    @property
    def current_is_missing(self) -> bool:
        """Whether a version was promoted, but `current` or the version that it points to is missing."""
        if self.current is None:
            return (self.folder / "served.json").exists()
        return not (self.folder / "versions" / self.current).is_dir()

    def promoted(self) -> list[str]:
        """Return the versions promoted so far, oldest first, without those that were pruned."""
        names, current = self._read("served.json"), self.current
        # a kill in `promote` or `roll_back` leaves a list that goes on after the current version
        while current in names and names[-1] != current:
            names.pop()
        if current and current not in names:
            names.append(current)
        return [name for name in names if (self.folder / "versions" / name).is_dir()]

    def promote(self, name: str, earlier: list[str]) -> None:
        """Make a version the current one, after those that were promoted earlier.

        The list is written before the link, so that a kill between the two leaves a list that is too long.
        """
        self._write("served.json", [*earlier, name])
        self._link(name)

    def roll_back(self, names: list[str]) -> None:
        """Withdraw the current version, and make the last of these promoted versions the current one.

        The link is changed before the list: a kill leaves a list that is too long here too. It is first recorded as
        withdrawn, so that no later training promotes it again.
        """
        self._write("withdrawn.json", list(dict.fromkeys([*self.withdrawn(), *filter(None, [self.current])])))
        self._link(names[-1])
        self._write("served.json", names)

    def withdrawn(self) -> list[str]:
        """Return the versions that were rolled back."""
        return self._read("withdrawn.json")

    def _link(self, name: str) -> None:
        """Point `current` to a version."""
        current = self.folder / "current"
        link = temporaries.unused(current)
        with files.explained(current):
            try:
                link.symlink_to(Path("versions") / name)
                link.replace(current)
                files.flush(self.folder)
            finally:
                temporaries.remove(link)

    def _write(self, file: str, names: list[str]) -> None:
        files.write_text(self.folder / file, msgspec.json.encode(names).decode())

    def _read(self, file: str) -> list[str]:
        path = self.folder / file
        try:
            return msgspec.json.decode(files.read_regular(path, limit=MOST_BYTES), type=list[str])
        except FileNotFoundError:
            return []
        except OSError as error:
            problem = f"{path} cannot be read: {error.strerror}"
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            problem = f"{path} is damaged: {error}"
        raise ArtifactError(problem, "Remove it; the versions promoted before are then forgotten.")
