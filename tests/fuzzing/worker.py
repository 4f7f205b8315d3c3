"""Run command lines one after the other in a process that may crash or hang: `python -m fuzzing.worker`.

Each line of standard input is a JSON array: the folder to run in, the file for standard input, and the arguments. The
answer on standard output is a line with the exit code; the command's own output goes to files in the folder.
"""

import json
import os
import sys

from pozytywka_cli.commands.boundary import run


def redirect(stdin: str) -> None:
    """Connect the standard streams to a file and to the files `stdout` and `stderr` of this folder."""
    for descriptor, path in enumerate((stdin, "stdout", "stderr")):
        flags = os.O_WRONLY | os.O_CREAT if descriptor else os.O_RDONLY
        opened = os.open(path, flags)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")  # as `__main__` does


def main() -> None:
    """Answer until standard input ends."""
    with os.fdopen(os.dup(0)) as tasks, os.fdopen(os.dup(1), "w", buffering=1) as answers:
        for task in tasks:
            folder, stdin, *arguments = json.loads(task)
            os.chdir(folder)
            redirect(stdin)
            code = run(arguments)
            sys.stdout.flush()
            answers.write(f"{code}\n")


if __name__ == "__main__":
    main()
