"""The one place where errors become a line or two on stderr and an exit code."""

import itertools
import os
import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.exceptions import Abort, TyperException

from pozytywka_cli.errors import PozytywkaError, StorageError

HOISTED_FLAGS = ("-v", "--verbose", "-q", "--quiet", "-qv", "-vq")
HOISTED_OPTIONS = ("--data-dir", "--artifacts-dir", "--config", "--log-format")


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code; nothing is raised but, with -v, a fault in the program."""
    from pozytywka_cli.commands.app import app

    signal.signal(signal.SIGTERM, _terminate)
    arguments = hoisted(arguments)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - open for as long as the program runs
    if sys.stdout is None:
        return _show("standard output is closed", "Give it a terminal, a file or a pipe.", 74, arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a letter that a terminal lacks is no reason to say nothing
    try:
        result = typer.main.get_command(app)(arguments, prog_name="pozytywka", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except (KeyboardInterrupt, Abort):
        return 130
    except BaseException as error:
        if _reader_left(error):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing is left to flush
            return 0
        return _explained(error, arguments)


def _reader_left(error: BaseException) -> bool:
    """Whether a pipe's reader has had enough, which rich and typer make an exit with 1 of."""
    cause = error.__context__ if isinstance(error, SystemExit) else error
    return isinstance(cause, BrokenPipeError)


def hoisted(arguments: list[str]) -> list[str]:
    """The arguments with global options moved to the front, so that they may stand after the command too."""
    front, rest, given = [], [], iter(arguments)
    for argument in given:
        if argument == "--":
            rest += [argument, *given]
        elif argument in HOISTED_FLAGS or argument.startswith(tuple(f"{name}=" for name in HOISTED_OPTIONS)):
            front.append(argument)
        elif argument in HOISTED_OPTIONS:
            front += [argument, *([value] if (value := next(given, None)) is not None else [])]
        else:
            rest.append(argument)
    return front + rest


def _terminate(*_: Any) -> NoReturn:
    raise SystemExit(143)  # unwinds, so that temporary files are removed


def _explained(error: BaseException, arguments: list[str]) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if type(error).__name__ == "NoArgsIsHelpError":  # typer does not export it
        sys.stderr.write(f"{error.format_message()}\n")  # type: ignore[attr-defined]
        return 2
    if isinstance(error, TyperException):
        return _show(error.format_message(), _usage_hint(error), error.exit_code, arguments)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        error = StorageError(
            f"{where}{error.strerror or error}", "Check the path, its permissions and the disk's space."
        )
    if isinstance(error, PozytywkaError):
        return _show(error.message, error.hint, error.exit_code, arguments)
    if {"-v", "--verbose"} & set(arguments):
        raise error
    message = f"a fault in pozytywka: {type(error).__name__}: {error}"
    return _show(message, "Please report it, with what the same command prints with -v.", 1, arguments)


def _usage_hint(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    hint = f"See `{context.command_path if context else 'pozytywka'} --help`."
    # by its name, for typer does not export it
    return (
        f"{hint} What begins with - and is no option goes after --." if type(error).__name__ == "NoSuchOption" else hint
    )


def _show(message: str, hint: str, code: int, arguments: list[str]) -> int:
    from pozytywka_cli.commands.console import literal, write_log

    if _wants_json(arguments):
        write_log("error", message, hint=hint, exit_code=code)
    else:
        sys.stderr.write(f"error: {literal(message)}\n" + (f"{literal(hint)}\n" if hint else ""))
    return code


def _wants_json(arguments: list[str]) -> bool:
    """Whether messages go out as JSON; where the settings themselves are what is wrong, by the flag alone."""
    from pozytywka_cli import settings

    given = dict(itertools.pairwise(arguments)) | dict(text.split("=", 1) for text in arguments if "=" in text)
    if "--log-format" in given:
        return given["--log-format"] == "json"
    try:
        return settings.load(Path(given["--config"]) if "--config" in given else None, {}).log_format == "json"
    except PozytywkaError:
        return os.environ.get("POZYTYWKA_LOG_FORMAT") == "json"
