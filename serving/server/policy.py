"""Which versions of a model should be live, and what to do next to get there; no threads, no files, no model in memory.

Two sets of rules: ours, and TF Serving's own (``..._upstream``), which ``--compat=strict`` follows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from serving.protocol.status import Code, State
from serving.server.model_config import VersionPolicy
from serving.server.version_dirs import Found

# Worth another try. Everything else says that the files or the graph are wrong, and stay so until they change.
TRANSIENT = frozenset({Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED, Code.ABORTED, Code.DEADLINE_EXCEEDED})
_FIRST_BACK_OFF_SECONDS = 0.5
_BACK_OFF_GROWTH = 4


@dataclass(frozen=True)
class Load:
    """Bring this version up."""

    found: Found


@dataclass(frozen=True)
class Unload:
    """Take this version out of service."""

    version: int


@dataclass(frozen=True)
class Retries:
    """How often a load that failed is tried again, and the longest wait between two tries."""

    most: int = 5
    interval_seconds: float = 60.0


@dataclass(frozen=True)
class Failure:
    """A load that failed: how often so far, with which files, why, and when it is tried again (None: once the files change)."""

    fingerprint: str
    code: Code
    message: str
    attempts: int = 1
    retry_at: float | None = None

    def stands(self, found: Found, now: float) -> bool:
        """Whether it is too early, or pointless, to try again."""
        return found.fingerprint == self.fingerprint and (self.retry_at is None or now < self.retry_at)


def after_failure(
    found: Found, code: Code, message: str, before: Failure | None, *, now: float, retries: Retries, jitter: Callable[[], float]
) -> Failure:
    """What a failed load means for the next try. ``jitter`` gives a number from 0 to 1; the wait is shortened by up to half.

    An error that cannot pass is final until the files change; one that may pass is tried again, ever more slowly.
    """
    same = before is not None and before.fingerprint == found.fingerprint
    attempts = before.attempts + 1 if before is not None and same else 1
    if code not in TRANSIENT or attempts > retries.most:
        return Failure(found.fingerprint, code, message, attempts)
    longest = min(_FIRST_BACK_OFF_SECONDS * _BACK_OFF_GROWTH ** (attempts - 1), retries.interval_seconds)
    return Failure(found.fingerprint, code, message, attempts, now + longest * (1 - jitter() / 2))


def plan(
    found: Sequence[Found], policy: VersionPolicy, states: Mapping[int, State], failed: Mapping[int, Failure], now: float
) -> Load | Unload | None:
    """The next step towards serving the versions that the policy wants, of those that can be had; None when there is nothing to do.

    A version that failed counts as absent, so that the next older one takes its place. New before old: a version goes only when all
    that are wanted are live, or when it is one too many to keep in memory while they load. With no complete version on disk (an
    outage of the storage looks like that) everything stays; so does a live version whose folder is merely damaged.
    """
    live = {version for version, state in states.items() if state is State.AVAILABLE}
    loadable = {
        item.version: item
        for item in found
        if item.problem is None and not (item.version in failed and failed[item.version].stands(item, now))
    }
    if not loadable:
        return None
    here = loadable.keys() | (live & {item.version for item in found})
    wanted = _choose(here, policy)
    if not wanted:
        return None
    surplus, missing = live - wanted, wanted - live
    if surplus and (not missing or len(surplus) > 1):
        return Unload(min(surplus))
    return Load(loadable[max(missing)]) if missing else None


def _choose(versions: Collection[int], policy: VersionPolicy) -> set[int]:
    if policy.kind == "all":
        return set(versions)
    if policy.kind == "specific":
        return set(versions) & set(policy.versions)
    return set(sorted(versions)[-max(policy.num_versions, 1) :])


def refused(found: Sequence[Found], policy: VersionPolicy, states: Mapping[int, State]) -> list[Found]:
    """The versions that the policy would want, were they complete, and that are not in use either."""
    live = {version for version, state in states.items() if state is State.AVAILABLE}
    rivals = live | {item.version for item in found if item.problem is None}
    idle = [item for item in found if item.problem is not None and states.get(item.version, State.END) is State.END]
    return [item for item in idle if item.version in _choose(rivals | {item.version}, policy)]


def next_retry(failed: Mapping[int, Failure], now: float) -> float | None:
    """Seconds until the next failed load is due to be tried again; None when none is."""
    waits = [failure.retry_at - now for failure in failed.values() if failure.retry_at is not None and failure.retry_at > now]
    return min(waits, default=None)


def aspired_upstream(found: Sequence[Found], policy: VersionPolicy) -> list[Found]:
    """The versions that TF Serving aspires to, of all that it takes for versions, given in the byte order of their names.

    Of two names for one number the last wins; under ``all`` the first is in memory already when the other comes. A specific version
    is looked for under its plain name first.
    """
    if policy.kind == "all":
        return list({item.version: item for item in reversed(found)}.values())[::-1]
    by_version = {item.version: item for item in found}
    if policy.kind == "specific":
        by_version |= {item.version: item for item in found if item.path.name == str(item.version)}
    return [by_version[version] for version in sorted(_choose(by_version, policy))]


def plan_upstream(aspired: Sequence[Found], states: Mapping[int, State], failed: Collection[int]) -> Load | Unload | None:
    """The next step of TF Serving's AvailabilityPreservingPolicy.

    ``failed`` holds the versions that did not load since they were first aspired to; they are not tried again.
    """
    wanted = {item.version: item for item in aspired}
    ready = {version for version, state in states.items() if state is State.AVAILABLE}
    surplus = ready - wanted.keys()
    if surplus and (not wanted or ready & wanted.keys() or len(surplus) > 1):
        return Unload(min(surplus))
    idle = {version for version in wanted if states.get(version, State.END) is State.END}
    new = idle - set(failed)
    return Load(wanted[max(new)]) if new else None
