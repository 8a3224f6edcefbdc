"""Local schedules on the disk: one small JSON document each, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from msgspec import DecodeError, Struct, json
from msgspec.structs import replace

from configs.environment import EnvironmentConfig
from configs.errors import SluicewayError, UsageError
from configs.paths import state_folder
from pipeline.schedule.base import Schedule
from pipeline.schedule.cron import check_cron, time_zone
from pipeline.schedule.triggers import Beat, Occasion

_PATIENCE_SECONDS = 10.0


class Entry(Struct, frozen=True, kw_only=True):
    """A schedule and what became of it so far. All times are UTC.

    next_run:    when it comes round next, jitter included; ``occasion`` says what for.
    log:         where the last run told more.
    asked:       ``run-now`` asked for a run that was not started yet.
    running:     since when a run is under way; still there at a scheduler's start, the one before it died in the middle.
    looked:      when new data was last looked for, with what came of it in ``look``.
    fingerprint: of the last run that finished, for the triggers that look for news.
    """

    schedule: Schedule
    next_run: datetime
    occasion: Occasion = "time"
    paused: bool = False
    reason: str = ""
    failures: int = 0
    asked: bool = False
    running: datetime | None = None
    last_run: datetime | None = None
    last: str = ""
    log: str = ""
    looked: datetime | None = None
    look: str = ""
    fingerprint: str | None = None


def rescheduled(entry: Entry | None, schedule: Schedule, beat: Beat) -> Entry:
    """A schedule's document after the schedule became this one."""
    if entry is None:
        return Entry(schedule=schedule, next_run=beat.at, occasion=beat.occasion)
    old = entry.schedule
    same = (old.use_case, old.environment, old.overrides) == (schedule.use_case, schedule.environment, schedule.overrides)
    # What was judged with other settings or data says nothing about these.
    known = entry.fingerprint if same else None
    return replace(entry, schedule=schedule, next_run=beat.at, occasion=beat.occasion, fingerprint=known)


class Damaged(SluicewayError):
    """A schedule's document is not what was written there."""


class Book:
    """The documents of one folder."""

    def __init__(self, folder: Path, only: str | None = None) -> None:
        self.folder = folder
        self._only = only

    def only(self, name: str) -> Book:
        """The same folder as if it held this schedule alone."""
        return Book(self.folder, name)

    def names(self) -> list[str]:
        """All schedules, also those whose document cannot be read."""
        if self._only is not None:
            return [self._only]
        try:
            return sorted(path.stem for path in self.folder.glob("*.json"))
        except OSError as error:
            raise UsageError(f"{self.folder}: cannot be read: {error.strerror}") from error

    def read(self, name: str) -> Entry | None:
        """One schedule; None where there is none.

        Raises:
            Damaged: the document cannot be read.
        """
        path = self._path(name)
        try:
            entry = json.decode(path.read_bytes(), type=Entry)
            check_cron(entry.schedule.cron)
            time_zone(entry.schedule.timezone)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Damaged(f"{path}: cannot be read: {error.strerror}") from error
        except (DecodeError, ValueError, UsageError) as error:
            text = " ".join(str(error).split())
            raise Damaged(f"{path}: not a schedule: {text}; delete it or set it again (sluiceway schedule delete {name})") from error
        if entry.schedule.name != name:
            # A copy or a file renamed by hand: run as it stands, it would run one schedule twice or under a name nobody gave it.
            own = entry.schedule.name
            back = "" if self._path(own).exists() else f"rename it to {own}.json, or "
            raise Damaged(f"{path}: holds the schedule {own!r}; {back}delete it (sluiceway schedule delete {name})")
        return entry

    def change(self, name: str, how: Callable[[Entry], Entry]) -> Entry | None:
        """Change one schedule in place, nobody beside; None where there is none.

        Raises:
            UsageError: the folder cannot be written.
            Damaged: the document cannot be read.
        """
        with self._alone():
            entry = self.read(name)
            if entry is None:
                return None
            changed = how(entry)
            if changed != entry:
                self._write(name, changed)
            return changed

    def put(self, name: str, make: Callable[[Entry | None], Entry]) -> None:
        """Make a schedule, or change the one of that name; one that cannot be read is made anew."""
        with self._alone():
            entry: Entry | None = None
            with contextlib.suppress(Damaged):
                entry = self.read(name)
            made = make(entry)
            if made != entry:
                self._write(name, made)

    def remove(self, name: str) -> bool:
        """Forget a schedule; whether there was one."""
        if not self.folder.is_dir():
            return False
        with self._alone():
            try:
                self._path(name).unlink()
            except FileNotFoundError:
                return False
            except OSError as error:
                raise self._unwritable(error) from error
            return True

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Be the one scheduler of this folder; the kernel frees it when the process dies, however it dies.

        Raises:
            UsageError: another process is.
        """
        lock = FileLock(self.made() / ".scheduler.lock", timeout=1)
        try:
            lock.acquire()
        except Timeout as error:
            raise UsageError(f"another `sluiceway schedule start` runs the schedules of {self.folder}; one is enough") from error
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            lock.release()

    def is_held(self) -> bool:
        """Whether a scheduler runs these schedules now."""
        if not (self.folder / ".scheduler.lock").exists():
            return False
        lock = FileLock(self.folder / ".scheduler.lock", timeout=0)
        try:
            lock.acquire()
        except (Timeout, OSError):
            return True
        lock.release()
        return False

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        lock = FileLock(self.made() / ".lock", timeout=_PATIENCE_SECONDS)
        try:
            lock.acquire()
        except Timeout as error:
            raise SluicewayError(f"{self.folder}: somebody has held its lock for {_PATIENCE_SECONDS:.0f} s; try again") from error
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            lock.release()

    def made(self) -> Path:
        """The folder, made where it is missing."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        return self.folder

    def _write(self, name: str, entry: Entry) -> None:
        partial = self.folder / f".{name}.partial"
        try:
            with partial.open("wb") as file:
                file.write(json.format(json.encode(entry), indent=1) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path(name))
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise self._unwritable(error) from error

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _unwritable(self, error: OSError) -> UsageError:
        return UsageError(
            f"{self.folder}: cannot be written: {error.strerror or error}; mend that, or use another state folder (--set state=...)"
        )


def local_book(environment: EnvironmentConfig) -> Book:
    """The schedules that ``sluiceway schedule start`` runs."""
    return Book(state_folder(environment) / "schedules")
