"""How many requests of one model are under way at once, how many wait for that, and how long: beyond it a request is turned away at once.

A server that takes everything answers nobody in time. What is turned away costs next to nothing, so those that are let in are answered as
fast as before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterator


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
        self.present = 0
        self._waiting: deque[asyncio.Future[bool]] = deque()

    @property
    def again_seconds(self) -> float:
        """When it may be worth asking again."""
        return max(1.0, self.queue_seconds)

    @property
    def is_full(self) -> bool:
        """Whether a request that came now would be turned away."""
        if self.under_way >= self.concurrency and len(self._waiting) >= self.queue:
            return True
        # As many again may be read and looked at, which takes as long as a caller or a server likes.
        return self.present >= 2 * (self.concurrency + self.queue)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @contextlib.contextmanager
    def presence(self) -> Iterator[None]:
        """Counts a request from its head to its answer, whether it has room yet or not."""
        self.present += 1
        try:
            yield
        finally:
            self.present -= 1

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
            raise Overloaded(self.again_seconds)
        loop = asyncio.get_running_loop()
        place: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(place)
        # Not asyncio.wait_for: on Python 3.10 it swallows a cancellation that comes in the same moment as the room.
        timer = loop.call_later(self.queue_seconds, _give_up, place)
        try:
            has_room = await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.result():
                # Room was handed over in the same moment: pass it on.
                self._leave()
            self._forget(place)
            raise
        finally:
            timer.cancel()
        if not has_room:
            self._forget(place)
            raise Overloaded(self.again_seconds)

    def _forget(self, place: asyncio.Future[bool]) -> None:
        with contextlib.suppress(ValueError):
            self._waiting.remove(place)

    def _leave(self) -> None:
        if self.under_way > self.concurrency or not self._hand_over():
            self.under_way -= 1

    def _hand_over(self) -> bool:
        """Whether the room went to the next one, without becoming free in between."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(True)
                return True
        return False

    def resize(self, concurrency: int, queue: int, queue_seconds: float) -> None:
        """Other limits from now on; who is in stays in."""
        self.concurrency, self.queue, self.queue_seconds = concurrency, queue, queue_seconds
        while self.under_way < self.concurrency and self._hand_over():
            self.under_way += 1


def _give_up(place: asyncio.Future[bool]) -> None:
    if not place.done():
        place.set_result(False)
