"""What every command shares: the settings in force, the folders, and the voice. Nothing is read until it is needed."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pozytywka_cli.commands.console import Console

if TYPE_CHECKING:
    from pozytywka_cli.artifacts import Store
    from pozytywka_cli.settings import Settings


class Context:
    """Made from the global options; a command gets it with `context(ctx)`."""

    def __init__(self, config: Path | None, flags: dict[str, Any], *, verbose: bool, quiet: bool) -> None:
        self._config, self._flags = config, flags
        self._verbose, self._quiet = verbose, quiet

    @cached_property
    def settings(self) -> "Settings":
        """Flag, then environment, then file, then default."""
        from pozytywka_cli import settings

        return settings.load(self._config, self._flags)

    @cached_property
    def console(self) -> Console:
        """Messages and progress."""
        return Console(log_format=self.settings.log_format, verbose=self._verbose, quiet=self._quiet)

    @cached_property
    def store(self) -> "Store":
        """The artifacts folder."""
        from pozytywka_cli.artifacts import Store

        return Store(self.artifacts)

    @property
    def artifacts(self) -> Path:
        """The artifacts folder's path."""
        return Path(self.settings.artifacts_dir)

    @property
    def plays(self) -> Path:
        """The plays that `train` and `predict` read."""
        return self.artifacts / "plays.parquet"

    def data(self, given: Path | None = None) -> Path:
        """The data folder: the one given to the command, else the configured one."""
        return given or Path(self.settings.data_dir)


def context(ctx: typer.Context) -> Context:
    """The context that the global options made."""
    found: Context = ctx.obj
    return found
