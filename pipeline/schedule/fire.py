"""One beat of a schedule whose clock stands elsewhere: a CronJob starts a container, and this is what it does there.

What a schedule must remember from one container to the next (failures in a row, what was judged already) is kept beside the versions,
in ``.schedules`` of the store: the one folder that outlives a container.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from threading import Event
from typing import Literal

from filelock import FileLock, Timeout
from msgspec.structs import replace

from configs.environment import EnvironmentConfig
from configs.errors import UsageError
from configs.paths import store_folder
from pipeline.schedule.base import Schedule
from pipeline.schedule.book import Book, Entry, rescheduled
from pipeline.schedule.loop import Loop, Start
from pipeline.schedule.triggers import Beat

_ROUND_SECONDS = 1.0
_IDLE_ROUNDS = 30


@dataclass(frozen=True)
class Fired:
    """What a beat came to. ``ok`` holds refusals, skipped runs and looks without news too: nothing is broken."""

    kind: Literal["ok", "failed", "paused"]
    text: str


def cluster_book(environment: EnvironmentConfig) -> Book:
    """What the schedules of a cluster remember."""
    return Book(store_folder(environment) / ".schedules")


def fire(
    book: Book,
    schedule: Schedule,
    start: Start,
    say: Callable[[str], None],
    stop: Event,
    *,
    asked: bool = False,
    resumed: datetime | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
) -> Fired:
    """Run the schedule once, or say why not.

    Args:
        start: starts ``check`` or ``run``.
        asked: a person asked for it: it runs without news, and also while it is paused.
        resumed: failures before that are forgotten.

    Raises:
        UsageError: the store's folder cannot be written.
    """
    try:
        # Another container of this use case, from a schedule or by hand: the lock of a run lies in a state folder that each has of its own.
        with FileLock(book.made() / f".{schedule.use_case}.run.lock", timeout=0):
            return _fire(book, schedule, start, say, stop, asked=asked, resumed=resumed, now=now)
    except Timeout:
        return Fired("ok", "skipped: another run of the use case was under way")
    except OSError as error:
        raise UsageError(f"{book.folder}: cannot be written: {error.strerror or error}") from error


def _fire(
    book: Book,
    schedule: Schedule,
    start: Start,
    say: Callable[[str], None],
    stop: Event,
    *,
    asked: bool,
    resumed: datetime | None,
    now: Callable[[], datetime],
) -> Fired:
    name, began = schedule.name, now()
    beat = Beat(began, "look" if schedule.trigger == "data" else "time")

    def due(entry: Entry | None) -> Entry:
        entry = rescheduled(entry, schedule, beat)
        if resumed is not None and (entry.last_run is None or entry.last_run < resumed):
            entry = replace(entry, paused=False, reason="", failures=0)
        return replace(entry, asked=asked, looked=None)

    book.put(name, due)
    before = book.read(name)
    if before is not None and before.paused and not asked:
        return Fired("paused", f"paused: {before.reason}")
    loop = Loop(book.only(name), start, say, now=now)
    idle = 0
    while not stop.is_set() and idle < _IDLE_ROUNDS:
        loop.round()
        if not loop.busy and _is_over(book.read(name), began):
            break
        idle = 0 if loop.busy else idle + 1
        stop.wait(_ROUND_SECONDS)
    loop.end()
    return _told(before, book.read(name))


def _is_over(entry: Entry | None, began: datetime) -> bool:
    return entry is None or (entry.running is None and not entry.asked and (entry.paused or entry.next_run > began))


def _told(before: Entry | None, after: Entry | None) -> Fired:
    if after is None or before is None or after == before:
        return Fired("failed", "failed: what the schedule remembers cannot be written")
    if after.paused and not before.paused:
        return Fired("paused", f"paused: {after.reason}")
    if after.last_run == before.last_run and after.looked is not None:
        return Fired("ok", after.look)
    return Fired("failed" if after.failures > before.failures or after.last.startswith("interrupted") else "ok", after.last)
