"""`pozytywka schema`."""

import typer

from pozytywka_cli.commands import options


def schema(ctx: typer.Context, json: options.Json = False) -> None:
    """Print the columns of the five tables, and all rules with their levels.

    Reads and writes nothing.

    \b
    Examples:
      pozytywka schema
      pozytywka schema --json | jq '.rules'
    """
    from pozytywka_cli.commands import tables
    from pozytywka_cli.dataset.tables import RULES, TABLES

    names = ("table", "column", "type", "required", "key", "allowed", "references", "personal")
    columns = [
        (table.name, c.name, c.kind.value, c.required, c.name == table.key, c.allowed, c.references, c.personal)
        for table in TABLES.values()
        for c in table.columns
    ]
    rules = [(name, rule.level, rule.meaning) for name, rule in RULES.items()]
    if json:
        described = [dict(zip(("rule", "level", "meaning"), rule, strict=True)) for rule in rules]
        tables.json_object("schema", [dict(zip(names, column, strict=True)) for column in columns], rules=described)
    else:
        tables.table("Columns", names, columns)
        tables.table("Rules", ("rule", "level", "meaning"), rules)
