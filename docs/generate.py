"""Write `docs/commands.md`, the command reference, from the help; `--check` only says whether it is stale."""

import os
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("commands.md")
HEAD = "# Commands\n\nGenerated from the help by `make docs`; do not edit.\n"


def reference() -> str:
    """The help of every command, in the order of the help."""
    os.environ["COLUMNS"] = "100"  # what decides how help is wrapped must not be the terminal
    import typer

    from pozytywka_cli.commands.app import app

    parts = [HEAD]

    def visit(command: Any, name: str, parent: typer.Context | None) -> None:
        settings = {**command.context_settings, "terminal_width": 100, "max_content_width": 100}
        context = typer.Context(command, info_name=name, parent=parent, **settings)
        parts.append(f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n")
        for child, its_command in getattr(command, "commands", {}).items():
            visit(its_command, child, context)

    visit(typer.main.get_command(app), "pozytywka", None)
    return "\n".join(parts)


def main() -> int:
    """Write the reference, or with `--check` return 1 where the file differs from it."""
    if "--check" not in sys.argv:
        TARGET.write_text(reference(), encoding="utf-8")
        return 0
    stale = not TARGET.exists() or TARGET.read_text(encoding="utf-8") != reference()
    if stale:
        sys.stderr.write(f"{TARGET.name} is stale; run `make docs`.\n")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
