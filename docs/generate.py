"""Generate the command reference `docs/commands.md` from the help; with `--check`, only compare it."""

import os
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("commands.md")
HEAD = "# Commands\n\nGenerated from the help by `make docs`; do not edit.\n"


def reference() -> str:
    """Return the help of every command, in the order of the help."""
    os.environ["COLUMNS"] = "100"  # the terminal's width must not decide how help is wrapped
    import typer

    from pozytywka_cli.commands.app import app

    parts = [HEAD]

    def visit(command: Any, name: str, parent: typer.Context | None) -> None:
        settings = {**command.context_settings, "terminal_width": 100, "max_content_width": 100}
        context = typer.Context(command, info_name=name, parent=parent, **settings)
        parts.append(f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n")
        for child, subcommand in getattr(command, "commands", {}).items():
            visit(subcommand, child, context)

    visit(typer.main.get_command(app), "pozytywka", None)
    return "\n".join(parts)


def main() -> int:
    """Write the reference; with `--check`, return 1 if the file differs from it."""
    if "--check" not in sys.argv:
        TARGET.write_text(reference(), encoding="utf-8")
        return 0
    stale = not TARGET.exists() or TARGET.read_text(encoding="utf-8") != reference()
    if stale:
        sys.stderr.write(f"{TARGET.name} is stale; run `make docs`.\n")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
