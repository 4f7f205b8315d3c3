"""`pozytywka settings`."""

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context


def settings(ctx: typer.Context, json: options.Json = False) -> None:
    """List every setting: its value, the source of the value, and what it does.

    Reads the configuration file and the environment. A setting is changed by a line in pozytywka.toml (factors = 64
    under [similar]), by an environment variable (POZYTYWKA_SIMILAR_FACTORS), or for one command by --set. The source is
    the flag, the variable, the file with its line, or "default".

    \b
    Examples:
      pozytywka settings
      pozytywka settings --json | jq '.rows[] | select(.source != "default")'
      pozytywka train similar --set similar.factors=64
    """
    from pozytywka_cli.commands import tables
    from pozytywka_cli.families import registry
    from pozytywka_cli.settings import Described, General

    loaded = context(ctx).settings
    sections = {"": General} | {name: registry.get(name).Settings for name in registry.names()}
    rows = [row for name, kind in sections.items() for row in loaded.described(name, kind)]
    names = loaded.column_names
    rows += [Described(name.key, name.value, name.source, "name of this column in the files") for name in names]
    if json:
        tables.json_object("settings", rows)
    else:
        cells = ((row.key, str(row.value), row.source, row.description) for row in rows)
        tables.table("", ("setting", "value", "source", "description"), cells)
