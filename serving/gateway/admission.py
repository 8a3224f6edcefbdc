"""How many requests of one model are under way at once, how many wait for that, and how long: beyond it a request is turned away at once.

A server that takes everything answers nobody in time. What is turned away costs next to nothing, so those that are let in are answered as
fast as before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator


class Overloaded(Exception):
    """No room; ``seconds``: when it may be worth asking again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"more requests than can be answered; try again in {seconds:.0f} s")
        self.seconds = seconds


class Admission:
    """The room of one model. Belongs to one event loop; first come, first served."""

    def __init__(self, concurrency: int, queue: int, queue_seconds: float) -> None:
        self.concurrency, self.queue, self.queue_seconds = concurrency, queue, queue_seconds
        self.under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @contextlib.asynccontextmanager
    async def room(self) -> AsyncIterator[None]:
        """Room for one request, for as long as the block runs. Raises Overloaded."""
        if self.under_way < self.concurrency and not self._waiting:
            self.under_way += 1
        else:
            await self._wait()
        try:
            yield
        finally:
            self._leave()

    async def _wait(self) -> None:
        if len(self._waiting) >= self.queue:
            raise Overloaded(max(1.0, self.queue_seconds))
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await asyncio.wait_for(asyncio.shield(place), self.queue_seconds)
        except BaseException as error:
            if place.done() and not place.cancelled():
                # Room was handed over in the same moment: pass it on.
                self._leave()
            else:
                self._waiting.remove(place)
            if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
                raise Overloaded(max(1.0, self.queue_seconds)) from error
            raise

    def _leave(self) -> None:
        if self._waiting and self.under_way <= self.concurrency:
            # The room goes to the next one without becoming free in between.
            self._waiting.popleft().set_result(None)
        else:
            self.under_way -= 1

    def resize(self, concurrency: int, queue: int, queue_seconds: float) -> None:
        """Other limits from now on; who is in stays in."""
        self.concurrency, self.queue, self.queue_seconds = concurrency, queue, queue_seconds
        while self._waiting and self.under_way < self.concurrency:
            self.under_way += 1
            self._waiting.popleft().set_result(None)
