"""Runs local schedules: each round looks at the documents, at the clock and at what is under way, and never waits.

A schedule is under way (`_Job`) from its start to its verdict: a look for news where the trigger wants one, then the run.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from threading import Event

from msgspec.structs import replace as changed

from configs.errors import SluicewayError
from pipeline.schedule.base import Schedule
from pipeline.schedule.book import Book, Damaged, Entry
from pipeline.schedule.child import Child, Ended
from pipeline.schedule.cron import shown
from pipeline.schedule.triggers import Occasion, looks_first, next_beat, starts_run

_ROUND_SECONDS = 1.0
Start = Callable[[Schedule, str], Child]


@dataclass(frozen=True)
class _Job:
    schedule: Schedule
    occasion: Occasion
    since: datetime
    child: Child
    looking: bool
    known: str | None
    seen: str = ""


class Loop:
    """The one process that runs the schedules of a book.

    Args:
        start: starts ``check`` or ``run`` for a schedule. Raises OSError where that cannot be.
        say: prints one line.
    """

    def __init__(
        self,
        book: Book,
        start: Start,
        say: Callable[[str], None],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._book, self._start, self._say, self._now, self._chance = book, start, say, now, chance
        self._jobs: dict[str, _Job] = {}
        # What a full disk did not take yet: written before anything of that schedule is started again.
        self._owed: dict[str, Callable[[Entry], Entry]] = {}
        self._told: dict[str, str] = {}

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return bool(self._jobs)

    def run(self, stop: Event) -> None:
        """Round after round until told to stop; then end what is under way, so that nothing of ours is left."""
        while not stop.is_set():
            self.round()
            stop.wait(_ROUND_SECONDS)
        self.end()

    def round(self) -> None:
        """One look at everything."""
        for name, job in list(self._jobs.items()):
            ended = job.child.poll()
            if ended is not None:
                self._went_on(name, job, ended)
        for name in list(self._owed):
            self._settle(name, self._owed.pop(name))
        try:
            names = self._book.names()
        except SluicewayError as error:
            self._tell("", str(error))
            return
        self._told = {name: text for name, text in self._told.items() if name in {"", *names}}
        for name in names:
            self._attend(name)

    def end(self) -> None:
        """End what is under way; it is made up for at the next start, once."""
        for name, job in self._jobs.items():
            self._say(f"{name}: ending the {'look for new data' if job.looking else 'run'} under way")
            job.child.terminate()
        for name, job in list(self._jobs.items()):
            ended = job.child.stop()
            if ended.kind in {"ok", "refused"} and not job.looking:
                self._went_on(name, job, ended)
            else:
                self._done(
                    name, partial(_to_be_made_up, occasion=job.occasion, now=self._now(), said="interrupted: the scheduler was stopped")
                )

    def _attend(self, name: str) -> None:
        if name in self._jobs or name in self._owed:
            return
        try:
            entry = self._book.read(name)
        except Damaged as error:
            self._tell(name, str(error))
            return
        if entry is None:
            return
        now = self._now()
        if entry.running is not None:
            self._say(f"{name}: the scheduler died during the run of {_shown(entry.running, entry.schedule)}")
            self._done(name, lambda entry: _cut_short(entry, now))
            return
        if (entry.asked or (not entry.paused and entry.next_run <= now)) and not self._is_busy(entry.schedule.use_case):
            self._begin(name, entry, now)
        elif entry.paused:
            self._tell(name, f"{name}: paused: {entry.reason}")
        else:
            what = "next look for new data" if entry.occasion == "look" else "next run"
            self._tell(name, f"{name}: {what} at {_shown(entry.next_run, entry.schedule)}")

    def _is_busy(self, use_case: str) -> bool:
        # Another schedule of the same use case waits its turn: the use case's lock would only turn its run away.
        return any(job.schedule.use_case == use_case for job in self._jobs.values())

    def _begin(self, name: str, entry: Entry, now: datetime) -> None:
        schedule = entry.schedule
        occasion: Occasion = "asked" if entry.asked else entry.occasion
        looking = looks_first(schedule.trigger)

        def begun(entry: Entry) -> Entry:
            entry = changed(entry, running=now, asked=False)
            return entry if occasion == "asked" else self._with_next(entry, now)

        try:
            # On the disk before it starts: a scheduler that is killed now must not start it a second time without a word.
            if self._book.change(name, begun) is None:
                return
        except SluicewayError as error:
            self._tell(name, f"{name}: not started: {error}")
            return
        self._launch(name, schedule, occasion, now, looking=looking, known=entry.fingerprint)

    def _launch(
        self,
        name: str,
        schedule: Schedule,
        occasion: Occasion,
        since: datetime,
        *,
        looking: bool = False,
        known: str | None = None,
        seen: str = "",
    ) -> None:
        try:
            child = self._start(schedule, "check" if looking else "run")
        except OSError as error:
            failed = Ended("failed", f"failed: cannot be started: {error.strerror or error}")
            self._done(name, lambda entry: self._with_end(entry, failed, since, ""))
            return
        self._jobs[name] = _Job(schedule, occasion, since, child, looking, known, seen)
        if not looking:
            self._say(f"{name}: run of {schedule.use_case} started{' (new data)' if occasion == 'look' else ''}")

    def _went_on(self, name: str, job: _Job, ended: Ended) -> None:
        """A child ended: after a look comes the run or nothing, after a run the verdict."""
        if not job.looking:
            # Set anew while it ran: what was seen then says nothing of what the schedule stands for now.
            self._done(name, lambda entry: self._with_end(entry, ended, job.since, job.seen if entry.schedule == job.schedule else ""))
        elif ended.kind != "ok":
            # A run would meet the same: data that is not there, a configuration that does not hold.
            self._done(name, lambda entry: self._with_end(entry, ended, job.since, ""))
        elif starts_run(job.schedule.trigger, job.occasion, ended.fingerprint, job.known):
            self._launch(name, job.schedule, job.occasion, job.since, seen=ended.fingerprint)
        else:
            self._done(name, lambda entry: changed(self._after(entry), looked=job.since, look="nothing new", failures=0))

    def _done(self, name: str, how: Callable[[Entry], Entry]) -> None:
        self._jobs.pop(name, None)
        # What comes next is said again, also where it is what was said before.
        self._told.pop(name, None)
        self._settle(name, how)

    def _settle(self, name: str, how: Callable[[Entry], Entry]) -> None:
        try:
            entry = self._book.change(name, how)
        except Damaged as error:
            self._tell(name, str(error))
        except SluicewayError as error:
            self._owed[name] = how
            self._tell(name, f"{name}: {error}")
        else:
            if entry is not None:
                self._conclude(name, entry)

    def _conclude(self, name: str, entry: Entry) -> None:
        """Say what it came to, once it is on the disk."""
        told = entry.look if entry.looked and entry.looked >= (entry.last_run or entry.looked) else entry.last
        self._say(f"{name}: {told}")

    def _with_end(self, entry: Entry, ended: Ended, since: datetime, seen: str) -> Entry:
        entry = changed(self._after(entry), last_run=since, last=ended.text, log=ended.log)
        if ended.kind == "skipped":
            return entry
        if ended.kind != "failed":
            return changed(entry, failures=0, fingerprint=seen or entry.fingerprint)
        return _one_more_failure(entry)

    def _after(self, entry: Entry) -> Entry:
        """The entry once nothing is under way; times that came round meanwhile are not made up for."""
        entry = changed(entry, running=None)
        return self._with_next(entry, self._now()) if entry.next_run <= self._now() else entry

    def _with_next(self, entry: Entry, now: datetime) -> Entry:
        beat = next_beat(entry.schedule, now, self._chance())
        return changed(entry, next_run=beat.at, occasion=beat.occasion)

    def _tell(self, name: str, text: str) -> None:
        """Say it unless it was the last thing said of this schedule."""
        if self._told.get(name) != text:
            self._told[name] = text
            self._say(text)


def _to_be_made_up(entry: Entry, occasion: Occasion, now: datetime, said: str) -> Entry:
    entry = changed(entry, last_run=entry.running, last=said, log="", running=None)
    if entry.paused:
        return entry
    return changed(entry, asked=True) if occasion == "asked" else changed(entry, next_run=now, occasion=occasion)


def _cut_short(entry: Entry, now: datetime) -> Entry:
    # A run that takes the machine down with it must not be tried for ever.
    occasion: Occasion = "look" if entry.schedule.trigger == "data" else "time"
    return _one_more_failure(_to_be_made_up(entry, occasion, now, "cut short: the scheduler died"))


def _one_more_failure(entry: Entry) -> Entry:
    failures = entry.failures + 1
    if failures < entry.schedule.stop_after_failures or entry.paused:
        return changed(entry, failures=failures)
    reason = f"{failures} failed runs in a row, the last: {entry.last} (sluiceway schedule resume {entry.schedule.name})"
    return changed(entry, failures=failures, paused=True, reason=reason)


def _shown(moment: datetime, schedule: Schedule) -> str:
    return shown(moment, schedule.timezone)
