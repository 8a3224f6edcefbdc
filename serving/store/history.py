"""The ledger of a model: one JSON line for each thing that happened, only ever added to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from serving.errors import StoreError, StoreFull

LEDGER = "history.jsonl"
Kind = Literal["publish", "refuse", "rollback", "retire"]


@dataclass(frozen=True)
class Event:
    """One line of the ledger. ``version`` is None for a refusal; ``details`` holds reasons, metrics and the like."""

    at: str
    kind: Kind
    model: str
    run_id: str
    version: int | None = None
    digest: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def append(path: Path, event: Event) -> None:
    """Add an event and make sure it is on the disk. The caller holds the model's lock.

    A line that an earlier crash cut off is ended first, so that it cannot swallow this one.
    """
    data = (json.dumps(asdict(event), sort_keys=True) + "\n").encode()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            data = b"\n" + data
        written = os.write(descriptor, data)
        if written != len(data):
            # A full disk may take a part: take it back, so that the ledger holds whole lines only.
            os.ftruncate(descriptor, size)
            raise StoreFull(f"{path}: no space left on the disk to write the ledger")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> list[Event]:
    """All whole events, oldest first. A line that a crash cut off is not an event, also where later ones follow it.

    Raises:
        StoreError: the ledger cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    events = []
    for line in lines:
        event = _event(line)
        if event is not None:
            events.append(event)
    return events


def highest_version(events: list[Event]) -> int:
    """The highest number any event speaks of; 0 where there is none."""
    return max((event.version or 0 for event in events), default=0)


def _event(line: bytes) -> Event | None:
    try:
        return Event(**json.loads(line))
    except (ValueError, TypeError):
        # A crash can cut a line off; `append` ended it, and the event it would have told is found in the store itself.
        return None
