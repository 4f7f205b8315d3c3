"""What can be requested: tracks for a user, and what they shall be like."""

from typing import Annotated

import msgspec
from msgspec import Meta

from pozytywka_cli.families.recommend.models.lists import Wish

MOST = 10_000  # tracks of a list
DIVERSITY = 0.2
TAIL = 5  # one in so many tracks is of the tail, unless the request says how many


class RecommendRequest(msgspec.Struct):
    """Tracks for a user.

    count: how many
    allow_heard: whether tracks may be among them that the user has played
    diversity: how much it counts that tracks are unlike each other, 0 to 1
    tail: at least so many of them are of the 80 % of tracks that are played least; None: one in five
    like_track, like_artist: an id and a name; what is like them counts as much as the user's own plays
    genres: separated by commas; only tracks of these genres are recommended, as if they were the user's favourites
    """

    user_id: int
    count: Annotated[int, Meta(ge=1, le=MOST)] = 20
    allow_heard: bool = False
    diversity: Annotated[float, Meta(ge=0, le=1)] = DIVERSITY
    tail: Annotated[int, Meta(ge=0, le=MOST)] | None = None
    like_track: str | None = None
    like_artist: str | None = None
    genres: str | None = None

    @property
    def wish(self) -> Wish:
        """What the list shall be."""
        tail = self.count // TAIL if self.tail is None else self.tail
        return Wish(self.count, not self.allow_heard, self.diversity, tail)
