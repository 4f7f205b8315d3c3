"""Answer the requests that arrive in one turn of the event loop together: 16 at once cost little more than one."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pozytywka_cli.families.predictor import Answer
from pozytywka_cli.serving.served import Served

Waiting = tuple[Sequence[Any], "asyncio.Future[list[list[Answer]]]"]


class Batcher:
    """Collects requests to each open version. The answer to a request does not depend on the others."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[Served, list[Waiting]]] = {}

    async def answer(self, served: Served, requests: Sequence[Any], *, alone: bool) -> list[list[Answer]]:
        """Return the rows of each request, at once if it is `alone`; errors as for `Answerer.answer`."""
        if alone:
            served.catch_up()
            return served.answerer.answer(requests)
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._flush)
        future: asyncio.Future[list[list[Answer]]] = loop.create_future()
        self._waiting.setdefault(id(served), (served, []))[1].append((requests, future))
        return await future

    def _flush(self) -> None:
        batches, self._waiting = self._waiting, {}
        for served, waiting in batches.values():
            _answer(served, [one for one in waiting if not one[1].done()])


def _answer(served: Served, waiting: list[Waiting]) -> None:
    together = [request for requests, _ in waiting for request in requests]
    try:
        served.catch_up()
        answers = iter(served.answerer.answer(together))
    except Exception as error:  # whatever it is, it belongs to who waits
        if len(waiting) == 1:
            waiting[0][1].set_exception(error)
            return
        for one in waiting:  # only one of them may be to blame
            _answer(served, [one])
        return
    for requests, future in waiting:
        future.set_result([next(answers) for _ in requests])
