"""What the doctor's rooms find."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing looked for.

    found: what there is; None where it is missing
    hint: what to do about it, where there is something to do
    """

    area: str
    name: str
    found: str | None
    hint: str = ""
