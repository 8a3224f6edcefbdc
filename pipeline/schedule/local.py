"""Schedules on this machine: kept in the state folder, run by ``sluiceway schedule start``."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from msgspec.structs import replace

from configs.errors import UsageError
from pipeline.schedule.base import Change, Place, Schedule, Status
from pipeline.schedule.book import Damaged, Entry, local_book, rescheduled
from pipeline.schedule.cron import check_cron, shown
from pipeline.schedule.triggers import next_beat

# A scheduler that runs starts what is due within seconds.
_PROMPT = timedelta(seconds=5)


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class LocalScheduler:
    """Every verb changes a document; the process that runs the schedules sees it within seconds."""

    def __init__(self, place: Place, *, now: Callable[[], datetime] = _utc_now, chance: Callable[[], float] = random.random) -> None:
        self.book = local_book(place.config)
        self._now = now
        self._chance = chance

    def set(self, schedule: Schedule) -> Change:
        check_cron(schedule.cron)
        change: Change = "unchanged"

        def make(entry: Entry | None) -> Entry:
            nonlocal change
            if entry is not None and entry.schedule == schedule:
                return entry
            change = "updated" if entry else "created"
            return rescheduled(entry, schedule, next_beat(schedule, self._now(), self._chance()))

        self.book.put(schedule.name, make)
        return change

    def pause(self, name: str) -> None:
        self._change(name, lambda entry: entry if entry.paused else replace(entry, paused=True, reason="asked for"))

    def resume(self, name: str) -> None:
        def anew(entry: Entry) -> Entry:
            if not entry.paused and not entry.failures:
                return entry
            beat = next_beat(entry.schedule, self._now(), self._chance())
            return replace(entry, paused=False, reason="", failures=0, next_run=beat.at, occasion=beat.occasion)

        self._change(name, anew)

    def list(self) -> list[Status]:
        alive = self.book.is_held()
        return [status for name in self.book.names() if (status := self._status(name, alive=alive))]

    def run_now(self, name: str) -> str:
        entry = self._change(name, lambda entry: entry if entry.running else replace(entry, asked=True))
        if not self.book.is_held():
            return f"{name}: will start with `sluiceway schedule start`; none runs here now"
        return f"{name}: {'a run is under way already' if entry.running else 'starts within seconds'}; sluiceway schedule list"

    def delete(self, name: str) -> None:
        if not self.book.remove(name):
            raise self._unknown(name)

    def _change(self, name: str, how: Callable[[Entry], Entry]) -> Entry:
        entry = self.book.change(name, how)
        if entry is None:
            raise self._unknown(name)
        return entry

    def _unknown(self, name: str) -> UsageError:
        known = ", ".join(self.book.names()) or "none"
        return UsageError(f"no schedule {name!r} in {self.book.folder}; there are: {known} (sluiceway schedule set makes one)")

    def _status(self, name: str, *, alive: bool) -> Status | None:
        """None where it was deleted between two looks at the folder."""
        try:
            entry = self.book.read(name)
        except Damaged as error:
            return Status(Schedule(name=name, use_case="?", cron="?"), damaged=True, reason=str(error))
        if entry is None:
            return None
        return Status(
            entry.schedule,
            paused=entry.paused,
            reason=entry.reason,
            next_run=None if entry.paused else entry.next_run,
            next_is_look=entry.occasion == "look",
            overdue=not entry.paused and not entry.running and entry.next_run < self._now() - _PROMPT,
            last_run=entry.last_run,
            last=entry.last,
            log=entry.log,
            failures=entry.failures,
            details=_details(entry, alive=alive),
        )


def _details(entry: Entry, *, alive: bool) -> dict[str, str]:
    told: dict[str, str] = {}
    zone = entry.schedule.timezone
    if entry.running:
        since = shown(entry.running, zone)
        # The process that runs them ends them as it dies; what it did not write down is not under way.
        told.update({"running since": since} if alive else {"cut short": f"the scheduler died during the run of {since}"})
    if entry.asked:
        told["asked"] = "a run starts as soon as it can"
    if entry.looked:
        told["looked for new data"] = f"{shown(entry.looked, zone)} {entry.look}"
    return told
