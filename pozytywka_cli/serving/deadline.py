"""How long a request may take: some seconds until its body has arrived, and as many again until it is answered."""

import asyncio


class Deadline:
    """The time limit of a request that begins now."""

    def __init__(self, seconds: float, *, has_body: bool) -> None:
        self.seconds, self.awaits_body = seconds, has_body
        self.limit = asyncio.timeout(seconds)

    def body_has_arrived(self) -> None:
        """Begin to count again."""
        self.awaits_body = False
        self.limit.reschedule(asyncio.get_running_loop().time() + self.seconds)
