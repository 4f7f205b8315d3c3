"""What can be requested: an artist's next weeks, as many as a version was trained for."""

import msgspec

from pozytywka_cli.artifacts import Version
from pozytywka_cli.errors import UsageError


class WeeklyRequest(msgspec.Struct):
    """A request for an artist's next `horizon` weeks; None for as many as the version was trained for."""

    artist_id: str
    horizon: int | None = None


def beyond_horizon(version: Version, trained: int, requested: int) -> UsageError:
    """Return the error for a horizon that is below 1, or above the one that a version was trained for."""
    weeks = f"{trained} week{'s' if trained > 1 else ''}"
    problem = f"weekly {version.name} looks {weeks} ahead, not {requested}"
    hint = f"Train one that does with `pozytywka train weekly --horizon {requested}`."
    return UsageError(problem, hint if requested > 0 else "Ask for 1 week or more.")
