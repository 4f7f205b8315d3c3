"""Kill commands at random moments (SIGKILL), and check after each kill that nothing is broken.

    python tests/kills.py --kills 150 --seed 0

A sample is made and all families are trained once. After each kill all versions are undamaged, what was promoted
before answers (or what the killed command has promoted), the same command runs again, no temporary file is left after
that, and no process. Prints a summary; the exit code is 1 if any check failed. Needs Linux (/proc).
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pozytywka_cli.artifacts import Store

SAMPLE = ["sample", "data", "--users", "30", "--weeks", "30"]
ANSWERS = {
    "skip": ["predict", "skip", "--json"],
    "weekly": ["predict", "weekly", "--json"],
    "similar": ["similar", "Rosetta", "Bossk"],
    "recommend": ["recommend", "101", "102"],
}
QUICK = {
    "POZYTYWKA_SKIP_EPOCHS": "2",
    "POZYTYWKA_WEEKLY_EPOCHS": "2",
    "POZYTYWKA_SIMILAR_FACTORS": "8",
    "POZYTYWKA_SIMILAR_ITERATIONS": "5",
}
WORKERS_END = 10.0  # seconds after which no process of a killed command may run


class Kills:
    """A folder with data and models in which commands are killed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.store = Store(folder / "artifacts")
        self.usual: dict[str, float] = {}  # seconds that a command takes, by its first words
        self.failures: list[str] = []

    def prepare(self) -> None:
        """Make a sample, and two versions of each family."""
        for arguments in (SAMPLE, ["train"], ["train", "--force"]):
            if problem := self.problem(arguments):
                sys.exit(f"nothing was killed yet: {problem}")

    def kill(self) -> str:
        """Kill a random command at a random moment, check everything, and return what was done."""
        family = self.random.choice(list(ANSWERS))
        arguments, promotable = self.command(family)
        moment = self.random.uniform(0, self.usual.get(kind(arguments), 5.0))
        return self.killed(family, arguments, promotable, moment)

    def killed(self, family: str, arguments: list[str], promotable: list[str], moment: float) -> str:
        """Kill a command after `moment` seconds; it may promote new versions of the family and `promotable` ones."""
        before, known = self.promoted(), {one: self.store.names(one) for one in ANSWERS}
        with self.started(arguments) as process:
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                process.kill()
        what = f"{'killed' if process.returncode < 0 else 'ended'} within {moment:.2f} s: {' '.join(arguments)}"
        for one, now in self.promoted().items():
            if now in known[one] and now not in (before[one], *promotable):
                self.failures.append(f"{what}: {one} {now} is promoted in place of {before[one]}")
        self.failures += [f"{what}: {problem}" for problem in self.problems(arguments, family)]
        return what

    def command(self, family: str) -> tuple[list[str], list[str]]:
        """Return a random command about a family, and which of the present versions it may promote."""
        names = self.store.names(family)
        with self.store.lock():  # so that a rollback has something to go back to, twice
            for name in (names[0], names[-1], names[0]):
                self.store.promote(family, name)
        version, seed = self.random.choice(names), str(self.random.randrange(1000))
        return self.random.choice(
            [
                (["transform"], []),
                (SAMPLE, []),
                (["predict", "weekly"], []),
                (["predict", "skip"], []),
                (["models", "prune", "--keep", "2"], []),
                (["models", "promote", family, version], [version]),
                (["models", "rollback", family], [names[-1]]),
                (["train", family], names),
                (["train", family, "--force"], []),
                (["train", "weekly", "--tune", "2", "--jobs", "2", "--seed", seed], []),
            ]
        )

    def problems(self, killed: list[str], family: str) -> Iterator[str]:
        """Yield what a killed command has broken."""
        deadline = time.monotonic() + WORKERS_END
        while (left := processes(self.folder)) and time.monotonic() < deadline:
            time.sleep(0.1)
        if left:
            yield f"processes {left} still run"
        for arguments in (["models", "verify"], ANSWERS[family], killed):
            if problem := self.problem(arguments):
                yield problem
        if leftovers := [str(path) for path in self.folder.rglob(".*.tmp")]:
            yield f"left behind: {', '.join(leftovers)}"

    def promoted(self) -> dict[str, str | None]:
        """Return the promoted version of each family."""
        return {family: self.store.promoted(family) for family in ANSWERS}

    def problem(self, arguments: list[str]) -> str | None:
        """Run a command to its end, remember how long it took, and return its error if it fails."""
        start = time.monotonic()
        with self.started(arguments) as process:
            _, err = process.communicate()
        self.usual[kind(arguments)] = time.monotonic() - start
        return f"{' '.join(arguments)} exits with {process.returncode}: {err}" if process.returncode else None

    def started(self, arguments: list[str]) -> "subprocess.Popen[str]":
        """Start a command in the folder."""
        command = [sys.executable, "-m", "pozytywka_cli", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=os.environ | QUICK,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )


def kind(arguments: list[str]) -> str:
    """Return what commands that take about the same time have in common."""
    return " ".join([*arguments[:2], *(option for option in arguments if option in ("--force", "--tune"))])


def processes(folder: Path) -> list[int]:
    """Return the processes whose working folder this is."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == folder:
                found.append(int(link.parent.name))
        except OSError:  # it has ended, or belongs to another user
            continue
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the kills that the command line asks for, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        kills = Kills(Path(folder).resolve(), options.seed)
        kills.prepare()
        done = [kills.kill() for _ in range(options.kills)]
    killed = sum(one.startswith("killed") for one in done)
    print(f"{len(done)} commands, {killed} killed: {len(kills.failures)} failures", *kills.failures, sep="\n")
    return 1 if kills.failures else 0


if __name__ == "__main__":
    sys.exit(main())
