"""A run as a child process: started, watched, ended, and what it came to."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from configs.errors import ExitCode
from pipeline.schedule.base import Schedule

_GRACE_SECONDS = 30.0
_MOST_BYTES = 4_000_000


@dataclass(frozen=True)
class Ended:
    """What a child came to.

    ``ok``: live, or nothing new. ``refused``: a gate said no, which is a result and no failure. ``skipped``: another run of the use case
    was under way. ``failed``: it did not come to a result. ``fingerprint`` is what a look found, ``log`` the file where more is told.
    """

    kind: Literal["ok", "refused", "skipped", "failed"]
    text: str
    fingerprint: str = ""
    log: str = field(default="", compare=False)


class Child(Protocol):
    """A process under way."""

    def poll(self) -> Ended | None:
        """What it came to; None while it runs."""

    def terminate(self) -> None:
        """Ask it, with all it started, to end."""

    def stop(self) -> Ended:
        """End it, with all it started, and wait for that."""


def command(*arguments: str) -> list[str]:
    """A command of ours as a child that ends when this process is gone, however it went."""
    return [sys.executable, "-m", "pipeline.schedule", str(os.getpid()), *arguments, "--json"]


def starter(folder: Path, state: Path, *also: str) -> Callable[[Schedule, str], Process]:
    """Starts ``check`` or ``run`` for a schedule, always in this state folder; what they print goes to files in ``folder``.

    ``also``: overrides beside the schedule's own.
    """

    def start(schedule: Schedule, verb: str) -> Process:
        quoted = str(state).replace("'", "''")
        overrides = [part for text in (*schedule.overrides, *also, f"state='{quoted}'") for part in ("--set", text)]
        # A look leaves alone what the last run printed. A schedule's name has no dot, so no other schedule's files are meant.
        out = folder / (schedule.name if verb == "run" else f"{schedule.name}.look")
        return Process(command(verb, schedule.use_case, "--env", schedule.environment, *overrides), out)

    return start


class Process:
    """A child with its output in files: a pipe nobody reads would stop it, and nothing here waits for it."""

    def __init__(self, arguments: Sequence[str], out: Path) -> None:
        """Start it. Raises OSError where that cannot be."""
        self._out, self._err = out.with_name(f"{out.name}.out"), out.with_name(f"{out.name}.err")
        out.parent.mkdir(parents=True, exist_ok=True)
        with self._out.open("wb") as stdout, self._err.open("wb") as stderr:
            # A session of its own: Ctrl-C on the scheduler's terminal reaches the run through us alone, and a signal reaches all of it.
            self._process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True, close_fds=True
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> Ended | None:
        code = self._process.poll()
        return None if code is None else self._end(code)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def stop(self) -> Ended:
        self.terminate()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()
        return self._end(self._process.returncode)

    def _end(self, code: int) -> Ended:
        ended = read_end(code, _text(self._out), _text(self._err))
        # One that failed before it had a log has told why here.
        return ended if ended.log or ended.kind != "failed" else replace(ended, log=str(self._err))

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def read_end(code: int, out: str, err: str) -> Ended:
    """What an exit code and the document on stdout say."""
    document = _document(out)
    return replace(_end_of(code, document, err), log=str(document.get("log") or ""))


def _end_of(code: int, document: dict[str, Any], err: str) -> Ended:
    if code == ExitCode.DONE and "fingerprint" in document:
        return Ended("ok", "looked", str(document["fingerprint"]))
    if code == ExitCode.DONE and document.get("verdict") in {"live", "unchanged"}:
        return Ended("ok", f"{document['verdict']} v{document.get('version')}")
    if code == ExitCode.REFUSED:
        return Ended("refused", f"refused by {document.get('gate') or 'a gate'}: {_reason(document) or 'no reason given'}")
    error = document.get("error")
    error = error if isinstance(error, dict) else {}
    if error.get("kind") == "RunUnderWay":
        return Ended("skipped", "skipped: another run of the use case was under way")
    told = _reason(document) or str(error.get("message", "")) or _last_line(err)
    if code < 0:
        told = f"ended by {_signal_name(-code)}" + (f": {told}" if told else "")
    return Ended("failed", f"failed: {told or f'exit code {code} and no word'}")


def _document(out: str) -> dict[str, Any]:
    try:
        document = json.loads(out)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _reason(document: dict[str, Any]) -> str:
    reasons = document.get("reasons")
    first = reasons[0] if isinstance(reasons, list) and reasons else {}
    return str(first.get("message", "")) if isinstance(first, dict) else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("sluiceway: ").strip() if lines else ""


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _MOST_BYTES))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
