"""Run commands on mutated inputs in a worker process, and judge how they end."""

import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

from fuzzing.targets import Target

TESTS = Path(__file__).resolve().parents[1]
SETTINGS = {"POZYTYWKA_SIMILAR_ITERATIONS": "2", "COLUMNS": "100"}
SIGNS = (b"panicked at", b"Traceback (most recent call last)", b"internal error")
RUNS_OF_A_WORKER = 200


class Worker:
    """A process that runs command lines; a new one takes the place of one that crashed, hung or did many runs."""

    def __init__(self, limit: float) -> None:
        self.limit, self.runs, self.process = limit, 0, self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "fuzzing.worker"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=TESTS, env=os.environ | SETTINGS, stdin=pipe, stdout=pipe)

    def run(self, arguments: list[str], folder: Path, stdin: Path) -> str:
        """Run a command line; return its exit code, the signal that ended the process, or "hang"."""
        if self.runs == RUNS_OF_A_WORKER or self.process.poll() is not None:
            self.stop()
            self.runs, self.process = 0, self._started()
        self.runs += 1
        tasks, answers = self.process.stdin, self.process.stdout
        assert tasks is not None
        assert answers is not None
        tasks.write(json.dumps([str(folder), str(stdin), *arguments]).encode() + b"\n")
        tasks.flush()
        is_answered, _, _ = select.select([answers], [], [], self.limit)
        if not is_answered:
            self.stop()
            return "hang"
        if code := answers.readline().strip():
            return code.decode()
        ended = self.process.wait()
        return signal.Signals(-ended).name if ended < 0 else f"ended with {ended}"

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


class Runner:
    """Makes the runs of a seed, in folders under `keep` where those with a fault stay; `inputs` are the valid files."""

    def __init__(self, inputs: Path, targets: dict[str, list[Target]], keep: Path, seed: int, worker: Worker) -> None:
        self.inputs, self.targets, self.keep, self.seed, self.worker = inputs, targets, keep, seed, worker

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
        ended = self.worker.run(shlex.split(command), case, stdin)
        signs = [line for line in (case / "stderr").read_bytes().splitlines() if any(sign in line for sign in SIGNS)]
        is_fault = bool(signs) or ended == "1" or not ended.isdecimal()
        if is_fault:
            again = f"cd {case} && python -m pozytywka_cli {command} < {stdin}"
            (case / "REPLAY").write_text(f"{again}\n")
            reason = b" ".join(signs[:1])[:200].decode(errors="replace")
            print(f"{case.name}: {target.path}: {ended} {reason}\n  {again}", flush=True)
        else:
            shutil.rmtree(case)
        return reader, ended, is_fault
