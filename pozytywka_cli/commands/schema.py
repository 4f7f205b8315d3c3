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

    columns = [
        {
            "table": table.name,
            "column": column.name,
            "type": column.kind.value,
            "required": column.required,
            "key": column.name == table.key,
            "allowed": column.allowed,
            "references": column.references,
            "personal": column.personal,
        }
        for table in TABLES.values()
        for column in table.columns
    ]
    rules = [{"rule": name, "level": rule.level, "meaning": rule.meaning} for name, rule in RULES.items()]
    if json:
        tables.json_object("schema", columns, rules=rules)
        return
    for title, rows in (("Columns", columns), ("Rules", rules)):
        tables.table(title, list(rows[0]), (row.values() for row in rows))
