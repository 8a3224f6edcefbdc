"""Which recurring runs of a server are a schedule of ours, and what makes them the one that is wanted. Pure.

KFP cannot edit a recurring run, and deleting one ends the run of it that is under way. So an edit is: make the new one, disable the old,
delete it once no run of it is under way. Killed in between there are two that start runs, never none, and the next ``set`` disables the
older: a run too many finds nothing new and ends as unchanged, a run too few would be missed by nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from msgspec import ValidationError, convert

from pipeline.kubeflow.documents import RecurringRun
from pipeline.schedule.base import Change, Schedule

_MARK = "sluiceway schedule "


@dataclass(frozen=True)
class Wanted:
    """The fields of the recurring run that a schedule wants; two of them are the same when their digests are."""

    schedule: Schedule
    fields: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Of everything that is wanted. A recurring run carries it, and nobody can edit one, so it tells what is there."""
        content = json.dumps([asdict(self.schedule), self.fields], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def description(self) -> str:
        """What the recurring run says of itself, to people and to us."""
        kept = {**asdict(self.schedule), "digest": self.digest}
        return _MARK + json.dumps(kept, sort_keys=True)


@dataclass(frozen=True)
class Kept:
    """A recurring run that is a schedule of ours."""

    schedule: Schedule
    digest: str
    run: RecurringRun


@dataclass(frozen=True)
class Edit:
    """What is to be done, in this order: make the new one or leave the one that counts as it is, then retire the surplus."""

    change: Change
    make: bool
    enabled: bool
    surplus: tuple[Kept, ...]


def ours(runs: Iterable[RecurringRun]) -> dict[str, list[Kept]]:
    """Schedules of ours by name; of each the one that counts first: enabled before disabled, newer before older."""
    found: dict[str, list[Kept]] = {}
    for run in runs:
        kept = _read(run)
        if kept is not None:
            found.setdefault(kept.schedule.name, []).append(kept)
    for several in found.values():
        several.sort(key=lambda each: (each.run.enabled, _made(each.run), each.run.recurring_run_id), reverse=True)
    return dict(sorted(found.items()))


def edit(found: Sequence[Kept], digest: str) -> Edit:
    """How the recurring runs of one name, as `ours` gives them, become the one wanted. A paused schedule stays paused."""
    if not found:
        return Edit("created", True, True, ())
    first, *others = found
    if first.digest != digest:
        return Edit("updated", True, first.run.enabled, tuple(found))
    doubled = any(each.run.enabled for each in others)
    return Edit("updated" if doubled else "unchanged", False, first.run.enabled, tuple(others))


def _read(run: RecurringRun) -> Kept | None:
    if not run.description.startswith(_MARK):
        return None
    try:
        content = json.loads(run.description.removeprefix(_MARK))
        return Kept(convert(content, Schedule), str(content["digest"]), run)
    except (ValueError, KeyError, ValidationError):
        # Made by a person, or by another version of us that knew other fields.
        return None


def _made(run: RecurringRun) -> float:
    return (run.created_at or datetime(1970, 1, 1, tzinfo=timezone.utc)).timestamp()
