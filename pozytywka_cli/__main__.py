"""The entry point: `pozytywka`, or `python -m pozytywka_cli`."""

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from pozytywka_cli.commands.boundary import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
