"""``sluiceway schedule fire``: the process around one beat; its signals, its jitter and its last words."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event

from configs.errors import SluicewayError, UsageError
from configs.paths import state_folder
from pipeline.schedule.base import Place, Schedule
from pipeline.schedule.child import starter
from pipeline.schedule.fire import Fired, cluster_book, fire
from serving.server.signals import end_on_signals, wait_for_end

# Where Kubernetes reads what a container has to say as it ends; there only inside one.
LAST_WORDS = Path("/dev/termination-log")


def ended_by_signals() -> Event:
    """Set by SIGTERM, by Ctrl-C and by the end of the terminal (SIGHUP), unless ``nohup`` had that ignored."""
    stop = Event()
    left_alone = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else set()
    end_on_signals(stop, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP} - left_alone)
    return stop


def fire_once(schedule: Schedule, place: Place, *, asked: bool, resumed: str | None, say: Callable[[str], None]) -> Fired:
    """Wait out the jitter, then run the schedule once; what it came to is left for the cluster to read too."""
    stop = ended_by_signals()
    since = _moment(resumed)
    late = 0.0 if asked else random.uniform(0, schedule.jitter_seconds)
    if late >= 1:
        say(f"{schedule.name}: starts in {late:.0f} s (jitter)")
    if wait_for_end(stop, late):
        return _last_words(Fired("failed", "interrupted before it began"))
    state = state_folder(place.config)
    # The environment may be Kubeflow's, for its image and volumes; the run itself is this container's.
    start = starter(state / "schedules" / "runs", state, "runner=local")
    try:
        fired = fire(cluster_book(place.config), schedule, start, say, stop, asked=asked, resumed=since)
    except SluicewayError as error:
        _last_words(Fired("failed", f"failed: {error}"))
        raise
    return _last_words(fired)


def _last_words(fired: Fired) -> Fired:
    # Kubernetes keeps 4096 bytes; a message that is cut would be no document.
    document = {"kind": fired.kind, "text": fired.text.encode()[:3000].decode(errors="ignore")}
    if "KUBERNETES_SERVICE_HOST" in os.environ and LAST_WORDS.exists():
        with contextlib.suppress(OSError):
            LAST_WORDS.write_text(json.dumps(document), encoding="utf-8")
    return fired


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise UsageError(f"--resumed {text!r}: expected a time like 2026-11-20T12:00:00+00:00") from error
    if moment.tzinfo is None:
        raise UsageError(f"--resumed {text!r}: without a time zone; expected a time like 2026-11-20T12:00:00+00:00")
    return moment
