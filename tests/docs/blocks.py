"""Find the commands in Markdown documents, run them as a reader would, and compare the shape of their output."""

import json
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "data/README.md", "artifacts/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
GENERATED = ROOT / "docs" / "commands.md"
FENCE = re.compile(r"^```(?P<info>[^`\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"#\s*exit (\d+)\s*$")
SHELL = re.compile(r"[|&;<>*$`]|^\w+=")
SEPARATORS = re.compile(r"\|\||&&|[|;\n]")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
COLUMNS = 100


@dataclass(frozen=True)
class Block:
    """A fenced block: its info string, its text, and the line of the document where it begins."""

    document: Path
    line: int
    info: str
    body: str

    @property
    def language(self) -> str:
        """The first word of the info string."""
        return self.info.split()[0].rstrip(":") if self.info.split() else ""

    @property
    def is_run(self) -> bool:
        """Whether the block's commands are run."""
        return self.language in ("sh", "console") and "no-run" not in self.info

    @property
    def reason(self) -> str:
        """Why the block is not run."""
        return self.info.partition("no-run:")[2].strip()

    def __str__(self) -> str:
        """Return the block's place."""
        return f"{self.document.name}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command line, the exit code it should have, and the output that the document shows, if any."""

    block: Block
    text: str
    code: int = 0
    output: tuple[str, ...] = ()


def name(document: Path) -> str:
    """Return the path of a document in the repository."""
    return str(document.relative_to(ROOT))


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of a document."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(document, text.count("\n", 0, match.start()) + 1, match["info"].strip(), match["body"])
        for match in FENCE.finditer(text)
    ]


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a block: the lines of a `sh` block, the lines after `$ ` of a `console` block."""
    if block.language == "console":
        for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
            text, *output = part.rstrip("\n").split("\n")
            yield _command(block, text, tuple(output))
    else:
        for line in block.body.replace("\\\n", " ").splitlines():
            if line.strip() and not line.startswith("#"):
                yield _command(block, line)


def _command(block: Block, line: str, output: tuple[str, ...] = ()) -> Command:
    code = EXIT.search(line)
    text = re.sub(r"\s+#\s.*$", "", line).strip()
    return Command(block, text, int(code[1]) if code else 0, output)


def invocations(text: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of pozytywka in a command line."""
    for part in SEPARATORS.split(re.sub(r"\s+#\s.*$", "", text.replace("\\\n", " "), flags=re.MULTILINE)):
        words = shlex.split(part)
        for at, word in enumerate(words):
            if word == "pozytywka" or word.endswith("/bin/pozytywka"):
                yield words[at + 1 :]
                break


def mentioned(document: Path) -> Iterator[str]:
    """Yield the complete command lines that stand in the running text as `pozytywka …`."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    for span in re.findall(r"`(pozytywka [^`]+)`", text):
        if not re.search(r"…|[A-Z]{3,}|[\[<]", span):
            yield span


def needs_shell(text: str) -> bool:
    """Whether a command line is more than one call of pozytywka."""
    return not text.startswith("pozytywka ") or bool(SHELL.search(text))


def run_in_shell(text: str, folder: Path) -> tuple[int, str]:
    """Run a command line in bash, and return its exit code, that of pozytywka in a pipeline, and its output."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", text],
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def run_on_terminal(text: str, folder: Path) -> tuple[int, str]:
    """Run a command line in bash on a terminal of 100 columns, and return its exit code and output.

    Messages (stderr) go to a pipe, so that there are no progress bars, and come before what is on the terminal.
    """
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", text],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=messages,
            start_new_session=True,
        )
        os.close(theirs)
        seen = b"".join(_read_terminal(ours))
        os.close(ours)
        code = process.wait()
        messages.seek(0)
        seen = messages.read() + seen
    return code, ESCAPES.sub("", seen.decode(errors="replace")).replace("\r\n", "\n")


def _read_terminal(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # how Linux reports that the other end was closed
            return
        if not chunk:
            return
        yield chunk


def _environment(folder: Path) -> dict[str, str]:
    """The environment of a reader who has installed this working tree."""
    shims = folder.parent / "bin"
    if not shims.exists():
        shims.mkdir()
        shim = shims / "pozytywka"
        shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pozytywka_cli "$@"\n')
        shim.chmod(0o755)
    path = f"{shims}{os.pathsep}{os.environ['PATH']}"
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
        "NO_COLOR": "1",
        "COLUMNS": str(COLUMNS),
    }


def shape(output: str) -> list[str]:
    """Return what must not change in output: the columns of tables, the keys of JSON, the first word of other lines.

    A table begins with its columns above a rule, and ends with an empty line or the next table.
    """
    shapes: list[str] = []
    lines = [line.strip() for line in output.splitlines()]
    in_table = False
    for line, following in zip(lines, [*lines[1:], ""], strict=False):
        if _is_rule(following):
            shapes.append(" ".join(line.split()))
        in_table = bool(line) and (in_table or _is_rule(following))
        if not line or in_table:
            continue
        if line.startswith("{"):
            shapes.append(", ".join(json.loads(line)))
        elif line != "…":
            shapes += [word for word in line.split() if not re.search(r"\d", word)][:1]
    return shapes


def _is_rule(line: str) -> bool:
    return bool(line) and set(line) == {"─"}
