"""So many are in, so many wait, first come first served; whoever goes, and whenever, leaves the room as it was."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.gateway.admission import Admission, Overloaded

LONG = 60.0


class Guests:
    """Requests that stay in until they are told to go; ``order``: who came in, in which order."""

    def __init__(self, room: Admission) -> None:
        self.room, self.order = room, list[int]()
        self._go: dict[int, asyncio.Event] = {}
        self.tasks: dict[int, asyncio.Task[str]] = {}

    def arrive(self, number: int) -> None:
        self._go[number] = asyncio.Event()
        self.tasks[number] = asyncio.get_running_loop().create_task(self._visit(number))

    async def _visit(self, number: int) -> str:
        try:
            async with self.room.room():
                self.order.append(number)
                await self._go[number].wait()
        except Overloaded:
            return "turned away"
        return "served"

    def leave(self, number: int) -> None:
        self._go[number].set()

    async def end(self) -> list[str]:
        for event in self._go.values():
            event.set()
        return [str(found) for found in await asyncio.gather(*self.tasks.values(), return_exceptions=True)]


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(6):
        await asyncio.sleep(0)


def run(concurrency: int, queue: int, story: Callable[[Guests], Awaitable[None]], seconds: float = LONG) -> tuple[Guests, list[str]]:
    async def all_of_it() -> tuple[Guests, list[str]]:
        guests = Guests(Admission(concurrency, queue, seconds))
        await story(guests)
        return guests, await guests.end()

    return asyncio.run(all_of_it())


def test_so_many_are_in_so_many_wait_and_the_rest_is_turned_away():
    async def story(guests: Guests) -> None:
        for number in range(6):
            guests.arrive(number)
        await settle()
        assert (guests.room.under_way, guests.room.waiting, guests.order) == (2, 3, [0, 1])

    guests, ends = run(2, 3, story)
    assert ends == ["served"] * 5 + ["turned away"]
    assert guests.order == [0, 1, 2, 3, 4]
    assert (guests.room.under_way, guests.room.waiting) == (0, 0)


def test_nobody_overtakes_who_waits():
    async def story(guests: Guests) -> None:
        for number in range(3):
            guests.arrive(number)
            await settle()
        guests.leave(0)
        guests.arrive(3)
        await settle()
        guests.leave(1)
        await settle()

    assert run(1, 5, story)[0].order == [0, 1, 2, 3]


def test_without_a_queue_nobody_waits():
    async def story(guests: Guests) -> None:
        guests.arrive(0)
        guests.arrive(1)
        await settle()

    assert run(1, 0, story)[1] == ["served", "turned away"]


def test_who_waits_too_long_is_turned_away_and_told_when_to_come_again():
    async def story() -> Overloaded:
        room = Admission(1, 5, 0.01)
        async with room.room():
            with pytest.raises(Overloaded) as caught:
                async with room.room():
                    pass
        assert (room.under_way, room.waiting) == (0, 0)
        return caught.value

    assert asyncio.run(story()).seconds == 1.0


@pytest.mark.parametrize("handed_over", [False, True])
def test_who_is_cancelled_while_waiting_leaves_no_trace(handed_over):
    async def story(guests: Guests) -> None:
        for number in range(3):
            guests.arrive(number)
        await settle()
        if handed_over:
            guests.leave(0)
            while guests.room.waiting == 2:
                await asyncio.sleep(0)
        guests.tasks[1].cancel()
        await settle()
        guests.leave(0)
        await settle()
        assert guests.order[-1] == 2

    guests, ends = run(1, 5, story)
    assert ends == ["served", "", "served"]
    assert (guests.room.under_way, guests.room.waiting) == (0, 0)


def test_a_cancellation_is_never_swallowed_by_room_that_comes_in_the_same_moment():
    async def story(guests: Guests) -> None:
        guests.arrive(0)
        guests.arrive(1)
        await settle()
        guests.leave(0)
        await asyncio.sleep(0)  # 0 leaves in this turn and hands over; 1 has not run yet
        guests.tasks[1].cancel()
        await settle()
        assert guests.tasks[1].cancelled()

    guests, _ = run(1, 5, story)
    assert guests.order == [0]


def test_room_that_comes_in_the_same_moment_as_the_end_of_waiting_is_not_lost():
    async def story() -> None:
        room, loop = Admission(1, 5, LONG), asyncio.get_running_loop()
        entered = room.room()
        await entered.__aenter__()
        second = loop.create_task(_visit(room))
        await settle()
        # Both in one turn of the loop: the other leaves, and the wait is over.
        loop.call_soon(room._waiting[0].cancel)
        await entered.__aexit__(None, None, None)
        with contextlib.suppress(asyncio.CancelledError, Overloaded):
            await second
        assert (room.under_way, room.waiting) == (0, 0)

    asyncio.run(story())


async def _visit(room: Admission) -> None:
    async with room.room():
        pass


def test_who_fails_inside_leaves_like_everybody_else():
    async def story() -> None:
        room = Admission(1, 0, LONG)
        with pytest.raises(ZeroDivisionError):
            async with room.room():
                raise ZeroDivisionError
        async with room.room():
            assert room.under_way == 1

    asyncio.run(story())


def test_more_room_lets_those_in_who_wait_and_less_room_sends_nobody_away():
    async def story(guests: Guests) -> None:
        for number in range(4):
            guests.arrive(number)
        await settle()
        guests.room.resize(3, 5, LONG)
        await settle()
        assert guests.order == [0, 1, 2]
        guests.room.resize(1, 5, LONG)
        guests.leave(0)
        await settle()
        assert (guests.room.under_way, guests.order) == (2, [0, 1, 2])
        guests.leave(1)
        await settle()
        assert (guests.room.under_way, guests.order) == (1, [0, 1, 2])
        guests.leave(2)
        await settle()
        assert guests.order == [0, 1, 2, 3]

    guests, ends = run(1, 5, story)
    assert ends == ["served"] * 4
    assert (guests.room.under_way, guests.room.waiting) == (0, 0)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 3),
    st.integers(0, 4),
    st.lists(st.tuples(st.sampled_from(["arrive", "leave", "cancel", "resize", "turn"]), st.integers(0, 8)), max_size=40),
)
def test_whatever_happens_in_whatever_order_all_room_comes_back(concurrency, queue, moves):
    async def story(guests: Guests) -> None:
        for move, number in moves:
            if move == "arrive":
                guests.arrive(len(guests.tasks))
            elif move == "resize":
                guests.room.resize(1 + number % 3, queue, LONG)
            elif move == "turn":
                await asyncio.sleep(0)
            elif number < len(guests.tasks):
                guests.leave(number) if move == "leave" else guests.tasks[number].cancel()
        await settle()

    guests, _ = run(concurrency, queue, story)
    assert (guests.room.under_way, guests.room.waiting) == (0, 0)
    # Where room was added, who had just been let in and who came right then enter in the same turn of the loop, in either order.
    assert guests.order == sorted(guests.order) or "resize" in {move for move, _ in moves}
