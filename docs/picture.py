"""Draw `docs/demo.svg`: the output of some commands on the artifacts of `make demo`, as a terminal shows it."""

import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COMMANDS = (
    "pozytywka validate --data-dir demo/data",
    "pozytywka similar Rosetta --scores --artifacts-dir demo/artifacts",
    "pozytywka similar metalica -n 3 --artifacts-dir demo/artifacts",
    "pozytywka predict weekly --data-dir demo/data --artifacts-dir demo/artifacts",
    "pozytywka similar Rosettttttta123 --artifacts-dir demo/artifacts",
)


def main() -> None:
    """Run the commands, and draw their output."""
    console = Console(record=True, width=102, file=io.StringIO())
    for command in COMMANDS:
        console.print(Text.assemble(("$ ", "green"), (command, "bold")))
        arguments = [str(Path(sys.executable).with_name("pozytywka")), *shlex.split(command)[1:]]
        done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        console.print(Text(done.stdout))
    picture = re.sub(
        r"@font-face \{.*?\}", "", console.export_svg(title="pozytywka"), flags=re.DOTALL
    )  # no fonts from the network
    Path(__file__).with_name("demo.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
