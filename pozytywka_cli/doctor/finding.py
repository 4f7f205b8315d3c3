"""One result of `doctor`."""

from typing import NamedTuple


class Finding(NamedTuple):
    """The result of one check.

    found: what was found; None where it is missing
    hint: how to get what is missing
    """

    area: str
    name: str
    found: str | None
    hint: str = ""
