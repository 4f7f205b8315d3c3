"""Which version of a family is promoted, and which versions were promoted before."""

from pathlib import Path

import msgspec

from pozytywka_cli import files
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
        # a kill between the two renames of `set_promoted` leaves a list that ends before or after the current version
        while current in names and names[-1] != current:
            names.pop()
        if current and current not in names:
            names.append(current)
        return [name for name in names if (self.folder / "versions" / name).is_dir()]

    def set_promoted(self, names: list[str]) -> None:
        """Set the versions promoted so far; the last one becomes the current one."""
        files.write_text(self.folder / "served.json", msgspec.json.encode(names).decode())
        with files.temporary(self.folder / "current") as link:
            link.symlink_to(Path("versions") / names[-1])
            link.replace(self.folder / "current")
        files.flush(self.folder)

    def withdrawn(self) -> list[str]:
        """Return the versions that were rolled back."""
        return self._read("withdrawn.json")

    def add_withdrawn(self, name: str | None) -> None:
        """Record that a version was rolled back."""
        names = [*self.withdrawn(), *filter(None, [name])]
        files.write_text(self.folder / "withdrawn.json", msgspec.json.encode(names).decode())

    def _read(self, file: str) -> list[str]:
        path = self.folder / file
        try:
            return msgspec.json.decode(path.read_bytes(), type=list[str])
        except FileNotFoundError:
            return []
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            hint = "Remove it; the versions promoted before are then forgotten."
            raise ArtifactError(f"{path} is damaged: {error}", hint) from None
