"""The entry point: `pozytywka`, or `python -m pozytywka_cli`."""

import gc
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        from pozytywka_cli.commands.boundary import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while the libraries were still being imported
        code = 130
    gc.freeze()  # leaving looks through every object for cycles, a tenth of a lookup's time, unless they are frozen
    sys.exit(code)


if __name__ == "__main__":
    main()
