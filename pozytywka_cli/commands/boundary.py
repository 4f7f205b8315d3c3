"""The one place where errors become messages on stderr and exit codes."""

import itertools
import os
import signal
import sys
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Literal

import typer
from typer.exceptions import Abort, TyperException

from pozytywka_cli.errors import PozytywkaError, StorageError

VERBOSE = ("-v", "--verbose", "-qv", "-vq")
HOISTED_FLAGS = (*VERBOSE, "-q", "--quiet")
HOISTED_OPTIONS = ("--data-dir", "--artifacts-dir", "--config", "--log-format")


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code; no error is raised, whatever happens."""
    _end_on_signals()
    arguments = hoisted(arguments)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - open for as long as the program runs
    if sys.stdout is None:
        return _show("standard output is closed", "Connect it to a terminal, a file or a pipe.", 74, arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack a letter
    try:
        from pozytywka_cli.commands.app import app

        result = typer.main.get_command(app)(arguments, prog_name="pozytywka", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except (KeyboardInterrupt, Abort):
        return 130
    except BaseException as error:
        cause = error.__context__ if isinstance(error, SystemExit) else error  # rich and typer make an exit of it
        if isinstance(cause, BrokenPipeError):  # the reader of a pipe stopped reading
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python flushes standard output at exit
            return 0
        return _report(error, arguments)


def _end_on_signals() -> None:
    """Let SIGTERM and SIGHUP unwind, so that temporary files are removed and workers end; `nohup` stays in force."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


def hoisted(arguments: list[str]) -> list[str]:
    """Move global options to the front, so that they may also follow the command."""
    front, rest, remaining = [], [], iter(arguments)
    for argument in remaining:
        if argument == "--":
            rest += [argument, *remaining]
        elif argument in HOISTED_FLAGS or argument.startswith(tuple(f"{name}=" for name in HOISTED_OPTIONS)):
            front.append(argument)
        elif argument in HOISTED_OPTIONS:
            front += [argument, *itertools.islice(remaining, 1)]
        else:
            rest.append(argument)
    return front + rest


def _report(error: BaseException, arguments: list[str]) -> int:
    """Show an error, and return its exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    kind = type(error).__name__  # typer does not export these
    if isinstance(error, TyperException) and kind == "NoArgsIsHelpError":
        with suppress(OSError):  # of a full disk
            sys.stderr.write(f"{error.format_message()}\n")
        return 2
    if isinstance(error, TyperException):
        context = getattr(error, "ctx", None)
        hint = f"See `{context.command_path if context else 'pozytywka'} --help`."
        hint += " An argument that begins with - goes after --." if kind == "NoSuchOption" else ""
        return _show(error.format_message(), hint, error.exit_code, arguments)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        hint = "Check the path, its permissions and the disk's space."
        error = StorageError(where + (error.strerror or str(error)), hint)
    if isinstance(error, PozytywkaError):
        return _show(error.message, error.hint, error.exit_code, arguments)
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("pozytywka_cli"):
        hint = "Install all of pozytywka: `pip install pozytywka`; `pozytywka doctor` lists what is missing."
        return _show(f"this needs {error.name}, which is not installed", hint, 5, arguments, error)
    hint = "Please report it, with the output of the same command with -v."
    return _show(f"internal error: {kind}: {error}", hint, 1, arguments, error)


def _show(message: str, hint: str, code: int, arguments: list[str], fault: BaseException | None = None) -> int:
    from pozytywka_cli.commands.logs import logger

    fault = fault if set(VERBOSE) & set(arguments) else None  # its traceback
    logger(_log_format(arguments)).error("%s", message, extra={"hint": hint, "exit_code": code}, exc_info=fault)
    return code


def _log_format(arguments: list[str]) -> Literal["text", "json"]:
    """Return the format of messages, also where the settings are the error: then the flag or the variable decides."""
    from pozytywka_cli import settings
    from pozytywka_cli.families import registry

    options = dict(itertools.pairwise(arguments)) | dict(text.split("=", 1) for text in arguments if "=" in text)
    wanted = options.get("--log-format") or os.environ.get("POZYTYWKA_LOG_FORMAT")
    if not wanted:
        with suppress(PozytywkaError, OSError, ValueError):
            config = Path(options["--config"]) if "--config" in options else None
            return settings.load(config, (), sections=registry.MODULES).general.log_format
    return "json" if wanted == "json" else "text"
