"""The entry point: `pozytywka`, or `python -m pozytywka_cli`."""

import gc
import os
import sys

GC_THRESHOLD = 200_000  # new objects before a garbage collection: a lookup makes fewer, so that it has none


def main() -> None:
    """Run the command line, and exit with its exit code."""
    gc.set_threshold(GC_THRESHOLD)
    if (
        sys.stderr is not None
    ):  # its own file descriptor, so that `dataset.reading.guard` can drop what native code writes to 2
        sys.stderr = os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1, errors="backslashreplace")
    try:
        from pozytywka_cli.commands.boundary import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # during the imports
        code = 130
    gc.freeze()  # skips the garbage collection at exit, which takes a tenth of a lookup's time
    sys.exit(code)


if __name__ == "__main__":
    main()
