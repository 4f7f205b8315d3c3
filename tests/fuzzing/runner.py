"""Run a command line on a mutated input in a child process, and judge how it ended."""

import os
import select
import shlex
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random

from fuzzing.targets import Target
from pozytywka_cli.commands.boundary import run

SETTINGS = {"POZYTYWKA_SIMILAR_ITERATIONS": "2", "COLUMNS": "100"}
SIGNS = (b"panicked at", b"Traceback (most recent call last)", b"internal error")


@dataclass(frozen=True)
class Runner:
    """Makes the runs of a seed.

    inputs: the folder of `fuzzing.inputs`
    targets: by reader
    keep: the folder in which runs take place, and in which those with a fault stay
    limit: seconds after which a run hangs
    """

    inputs: Path
    targets: dict[str, list[Target]]
    keep: Path
    seed: int
    limit: float

    def run(self, number: int) -> tuple[str, str, bool]:
        """Make the run of a number; return its reader, how it ended, and whether that is a fault."""
        random = Random(f"{self.seed} {number}")
        reader = random.choice(sorted(self.targets))
        target = random.choice(self.targets[reader])
        command = random.choice(target.commands)
        case = self.keep / f"{self.seed}-{number}"
        shutil.rmtree(case, ignore_errors=True)
        shutil.copytree(self.inputs / target.folder, case, symlinks=True)
        target.write(self.inputs, case, random)
        stdin = case / target.path if command.endswith(" -") else Path(os.devnull)
        ended = outcome(shlex.split(command), case, stdin, self.limit)
        errors = (case / "stderr").read_bytes()
        signs = [line for line in errors.splitlines() if any(sign in line for sign in SIGNS)]
        is_fault = not ended.isdecimal() or ended == "1" or bool(signs)
        if is_fault:
            again = f"cd {case} && python -m pozytywka_cli {command} < {stdin}"
            (case / "REPLAY").write_text(f"{again}\n")
            reason = b" ".join(signs[:1])[:200].decode(errors="replace")
            print(f"{case.name}: {target.path}: {ended} {reason}\n  {again}", flush=True)
        else:
            shutil.rmtree(case)
        return reader, ended, is_fault


def outcome(arguments: list[str], folder: Path, stdin: Path, limit: float) -> str:
    """Run a command line in a forked child; return its exit code, the signal that ended it, or "hang"."""
    process = os.fork()
    if process == 0:
        _child(arguments, folder, stdin)
    handle = os.pidfd_open(process)
    ended, _, _ = select.select([handle], [], [], limit)
    os.close(handle)
    if not ended:
        os.killpg(process, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if not ended:
        return "hang"
    return str(code) if code >= 0 else signal.Signals(-code).name


def _child(arguments: list[str], folder: Path, stdin: Path) -> None:
    """Run a command line in a folder, with its output in files there, and end the process with its exit code."""
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        os.environ.update(SETTINGS)
        for descriptor, path in enumerate((stdin, folder / "stdout", folder / "stderr")):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT if descriptor else os.O_RDONLY), descriptor)
        sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")  # as `__main__` does
        code = run(arguments)
        sys.stdout.flush()
    finally:
        os._exit(code)
