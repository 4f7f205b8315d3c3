"""Bearer tokens, and what they allow."""

import hashlib
import hmac
from http import HTTPStatus
from pathlib import Path
from typing import Literal

from starlette.requests import Request

from pozytywka_cli import files
from pozytywka_cli.errors import StorageError, UsageError
from pozytywka_cli.serving.problems import ProblemError

Role = Literal["write", "admin"]
ALLOWED: dict[str, tuple[Role, ...]] = {"write": ("write",), "admin": ("write", "admin")}
LEAST = 16  # characters of a token
MOST_BYTES = 2**20  # of a file


class Tokens:
    """The digests of tokens, with the role of each one."""

    def __init__(self, roles: dict[bytes, str]) -> None:
        self._roles = roles

    @classmethod
    def read(cls, path: Path | None) -> "Tokens":
        """Read a file with a role (write or admin) and a token on each line; # begins a comment.

        Raises:
            StorageError: the file cannot be read.
            UsageError: a line is something else, or a token is shorter than 16 characters.
        """
        if path is None:
            return cls({})
        try:
            lines = files.read_regular(path, limit=MOST_BYTES).decode().splitlines()
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror}", "Check --tokens and its permissions.") from None
        except UnicodeDecodeError:
            raise UsageError(f"{path} is not UTF-8", "Write a role and a token on each line.") from None
        roles = {}
        for number, line in enumerate(lines, start=1):
            words = line.partition("#")[0].split()
            if words and (len(words) != 2 or words[0] not in ALLOWED or len(words[1]) < LEAST):
                problem = f"{path}:{number}: not a role and a token of at least {LEAST} characters"
                raise UsageError(problem, "Write `write TOKEN` or `admin TOKEN`; make one with `openssl rand -hex 32`.")
            if words:
                roles[_digest(words[1])] = words[0]
        if not roles:
            raise UsageError(f"{path} has no token", "Write `write TOKEN` or `admin TOKEN`, one on each line.")
        return cls(roles)

    def require(self, request: Request, role: Role) -> None:
        """Raise a ProblemError unless a request has a token that allows this role."""
        if not self._roles:
            hint = "Start the service with --tokens FILE, and send one of its tokens."
            raise ProblemError(HTTPStatus.FORBIDDEN, "routes that write are closed: there are no tokens", hint)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        hint = "Send the header `Authorization: Bearer TOKEN`."
        if kind.lower() != "bearer":
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "this route needs a token", hint)
        digest = _digest(token.strip())
        found = [known for one, known in self._roles.items() if hmac.compare_digest(one, digest)]
        if not found:
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "unknown token", hint)
        if role not in ALLOWED[found[0]]:
            raise ProblemError(HTTPStatus.FORBIDDEN, f"this route needs a token with the role {role}", hint)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
