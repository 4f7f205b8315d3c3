"""The entry point: `pozytywka`, or `python -m pozytywka_cli`."""

import gc
import io
import os
import sys

GC_THRESHOLD = 200_000  # new objects before a garbage collection: a lookup makes fewer, so that it has none


def main() -> None:
    """Run the command line, and exit with its exit code."""
    gc.set_threshold(GC_THRESHOLD)
    _separate_stderr()
    try:
        from pozytywka_cli.commands.boundary import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # during the imports
        code = 130
    gc.freeze()  # skips the garbage collection at exit, which takes a tenth of a lookup's time
    sys.exit(code)


def _separate_stderr() -> None:
    """Give `sys.stderr` a file descriptor of its own, so that `dataset.reading.guard` can drop what native code writes.

    It is not buffered: what a full disk refuses would be tried again at exit, and change the exit code.
    """
    if sys.stderr is not None:
        own = io.FileIO(os.dup(sys.stderr.fileno()), "w")
        sys.stderr = io.TextIOWrapper(own, errors="backslashreplace", write_through=True)


if __name__ == "__main__":
    main()
