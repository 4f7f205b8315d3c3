"""Log lines on stderr, as text or JSON, through the standard library's `logging`."""

import json
import logging
import sys
import time
from typing import Literal

from pozytywka_cli.commands.console import literal, literal_json


class TextFormatter(logging.Formatter):
    """Write `warning: message` or `error: message` with the hint below it; other messages without their level."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        traceback = self.formatException(record.exc_info) if record.exc_info else ""
        lines = (traceback, level + literal(record.getMessage()), literal(getattr(record, "hint", "")))
        return "\n".join(filter(None, lines))


class JsonFormatter(logging.Formatter):
    """Write one JSON object a line: time (UTC), level, message and, of errors, hint, exit_code and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        fields = {"time": moment, "level": record.levelname.lower(), "message": record.getMessage()}
        fields |= {name: getattr(record, name) for name in ("hint", "exit_code") if hasattr(record, name)}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return literal_json(json.dumps(fields, ensure_ascii=False))


def logger(log_format: Literal["text", "json"], *, verbose: bool = False, quiet: bool = False) -> logging.Logger:
    """Configure and return the package's logger."""
    logging.raiseExceptions = False  # a closed stderr must not end a command
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    package = logging.getLogger("pozytywka_cli")
    package.handlers, package.propagate = [handler], False
    package.setLevel(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)
    return package
