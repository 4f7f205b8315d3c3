"""What every command shares: settings, folders and console. Nothing is read until it is needed."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pozytywka_cli.commands.console import Console

if TYPE_CHECKING:
    from pozytywka_cli.artifacts import Store
    from pozytywka_cli.settings import Assigned, Settings


class Context:
    """The global options of a command line; `flags` are values by setting. A command gets it with `context(ctx)`."""

    def __init__(
        self, config: Path | None, flags: Mapping[str, Path | str | None], *, verbose: bool, quiet: bool
    ) -> None:
        self._config, self._flags = config, {key: str(value) for key, value in flags.items() if value is not None}
        self._verbose, self._quiet = verbose, quiet
        self._overrides: list[Assigned] = []

    def override(self, assigned: "Sequence[Assigned]") -> None:
        """Assign settings before anything else is read."""
        self._overrides += assigned

    @cached_property
    def settings(self) -> "Settings":
        """The settings in force: command line, then environment, then file, then default."""
        from pozytywka_cli.families import registry
        from pozytywka_cli.settings import Assigned

        assigned = [Assigned(key, value, f"--{key.replace('_', '-')}") for key, value in self._flags.items()]
        return registry.load_settings(self._config, [*self._overrides, *assigned])

    @cached_property
    def console(self) -> Console:
        """Messages and progress bars."""
        return Console(log_format=self.settings.general.log_format, verbose=self._verbose, quiet=self._quiet)

    @cached_property
    def store(self) -> "Store":
        """The artifacts folder."""
        from pozytywka_cli.artifacts import Store

        return Store(self.artifacts)

    @property
    def config(self) -> Path | None:
        """The configuration file that the command line names."""
        return self._config

    @property
    def artifacts(self) -> Path:
        """The path of the artifacts folder."""
        return Path(self.settings.general.artifacts_dir)

    @property
    def plays(self) -> Path:
        """The plays that `train` and `predict` read."""
        return self.artifacts / "plays.parquet"

    @property
    def columns(self) -> Mapping[str, str]:
        """The names that columns have in the files of the data folder, by `table.column`."""
        return self.settings.columns

    def data(self, folder: Path | None = None) -> Path:
        """Return the data folder: the argument of the command, else the configured one; a StorageError if not UTF-8."""
        from pozytywka_cli.files import check_utf8

        data = folder or Path(self.settings.general.data_dir)
        check_utf8(data)
        return data


def context(ctx: typer.Context) -> Context:
    """Return the context of the global options."""
    shared: Context = ctx.obj
    return shared
