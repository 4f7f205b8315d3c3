"""The entry point: `pozytywka`, or `python -m pozytywka_cli`."""

import gc
import sys

AT_START = 200_000  # new objects before cycles are looked for: a lookup makes fewer, and what it imports stays


def main() -> None:
    """Run the command line and leave with its exit code."""
    gc.set_threshold(AT_START)
    try:
        from pozytywka_cli.commands.boundary import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while the libraries were still being imported
        code = 130
    gc.freeze()  # leaving looks through every object for cycles, a tenth of a lookup's time, unless they are frozen
    sys.exit(code)


if __name__ == "__main__":
    main()
