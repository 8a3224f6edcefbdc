"""Schedules as CronJobs of a Kubernetes cluster."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

from configs.errors import UsageError
from pipeline.schedule.base import Change, Place, Schedule, Status
from pipeline.schedule.cluster import Cluster, Conflict
from pipeline.schedule.cron import check_cron, times
from pipeline.schedule.cronjob import DIGEST, DOCUMENT, LABEL, OWNER, REASON, RESUMED, job_now, namespace, render

_ATTEMPTS = 3


class KubernetesScheduler:
    """One CronJob for each schedule; the schedule itself stands in an annotation of it, and is read back from there."""

    def __init__(self, place: Place, *, now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        self._config = place.config
        self._cluster = Cluster(namespace(place.config), place.config.launchers.kubernetes.context)
        self._now = now

    def set(self, schedule: Schedule) -> Change:
        check_cron(schedule.cron)
        wanted = render(schedule, self._config)
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(Conflict):
                return self._set(schedule.name, wanted)
        return self._set(schedule.name, wanted)

    def _set(self, name: str, wanted: dict[str, Any]) -> Change:
        there = self._cluster.cron_job(name)
        if there is None:
            self._cluster.create_cron_job(wanted)
            return "created"
        if not _ours(there):
            raise UsageError(f"a CronJob {name!r} that is not of Sluiceway is in namespace {self._cluster.namespace}; use another --name")
        old, new = _annotations(there), wanted["metadata"]["annotations"]
        if old.get(DIGEST) == new[DIGEST]:
            return "unchanged"
        # What a person said about it stays: paused is paused, and failures that were forgiven stay forgiven.
        kept = {key: old[key] for key in (REASON, RESUMED) if key in old}
        pod = {"metadata": {**_template(wanted)["metadata"], "annotations": {RESUMED: kept[RESUMED]}}} if RESUMED in kept else {}
        job = wanted["spec"]["jobTemplate"]
        spec = {**job["spec"], "template": {**_template(wanted), **pod}}
        meta = {**wanted["metadata"], "annotations": {**new, **kept}, "resourceVersion": there["metadata"]["resourceVersion"]}
        suspend = there["spec"].get("suspend", False)
        changed = {**wanted["spec"], "suspend": suspend, "jobTemplate": {**job, "spec": spec}}
        self._cluster.replace_cron_job({**wanted, "metadata": meta, "spec": changed})
        return "updated"

    def pause(self, name: str) -> None:
        if not self._read(name)["spec"].get("suspend", False):
            self._cluster.patch_cron_job(name, {"metadata": {"annotations": {REASON: "asked for"}}, "spec": {"suspend": True}})

    def resume(self, name: str) -> None:
        self._read(name)
        stamp = {"annotations": {RESUMED: self._now().isoformat(timespec="seconds")}}
        # In the pod too: what stops after repeated failure is the container, which forgets those before that moment.
        spec = {"suspend": False, "jobTemplate": {"spec": {"template": {"metadata": stamp}}}}
        self._cluster.patch_cron_job(name, {"metadata": {"annotations": {REASON: None, **stamp["annotations"]}}, "spec": spec})

    def list(self) -> list[Status]:
        cron_jobs = self._cluster.cron_jobs()
        if not cron_jobs:
            return []
        jobs, words = self._cluster.jobs(), self._cluster.last_words()
        of = {
            item["metadata"]["name"]: [job for job in jobs if job["metadata"]["labels"].get(LABEL) == item["metadata"]["name"]]
            for item in cron_jobs
        }
        return [self._status(item, of[item["metadata"]["name"]], words) for item in cron_jobs]

    def run_now(self, name: str) -> str:
        cron_job = self._read(name)
        under_way = [job for job in self._cluster.jobs(name) if job.get("status", {}).get("active")]
        if under_way:
            return f"{name}: a run is under way already: job {under_way[0]['metadata']['name']}"
        job = job_now(cron_job, secrets.token_hex(3))
        self._cluster.create_job(job)
        where = f"-n {self._cluster.namespace} job/{job['metadata']['name']}"
        return f"{name}: job {job['metadata']['name']}; kubectl logs -f {where}"

    def delete(self, name: str) -> None:
        self._read(name)
        self._cluster.delete_cron_job(name)

    def _read(self, name: str) -> dict[str, Any]:
        cron_job = self._cluster.cron_job(name)
        if cron_job is None or not _ours(cron_job):
            known = ", ".join(str(item["metadata"]["name"]) for item in self._cluster.cron_jobs()) or "none"
            raise UsageError(f"no schedule {name!r} in namespace {self._cluster.namespace}; there are: {known}")
        return cron_job

    def _status(self, cron_job: dict[str, Any], jobs: Sequence[dict[str, Any]], words: dict[str, dict[str, str]]) -> Status:
        notes = _annotations(cron_job)
        schedule = _schedule(cron_job)
        if schedule is None:
            broken = Schedule(name=cron_job["metadata"]["name"], use_case="?", cron=cron_job["spec"]["schedule"])
            return Status(
                broken,
                damaged=True,
                paused=bool(cron_job["spec"].get("suspend")),
                reason=f"its annotation {DOCUMENT} is damaged; set it again",
            )
        ended = [job for job in jobs if _end(job)]
        counted = [job for job in ended if _moment(job["metadata"]["creationTimestamp"]) >= _moment(notes.get(RESUMED))]
        said = words.get(counted[0]["metadata"]["name"], {}) if counted else {}
        suspended = bool(cron_job["spec"].get("suspend"))
        # A container cannot suspend its CronJob without rights on the cluster: it says so and does nothing.
        stopped = said.get("kind") == "paused"
        paused = suspended or stopped
        details = {"CronJob": f"{self._cluster.namespace}/{cron_job['metadata']['name']}"}
        under_way = [str(job["metadata"]["name"]) for job in jobs if job.get("status", {}).get("active")]
        if under_way:
            details["running"] = ", ".join(under_way)
        return Status(
            schedule,
            paused=paused,
            reason=notes.get(REASON, "") if suspended else said.get("text", "") if stopped else "",
            next_run=None if paused else next(times(schedule.cron, schedule.timezone, self._now())),
            next_is_look=schedule.trigger == "data",
            last_run=_moment(ended[0]["metadata"]["creationTimestamp"]) if ended else None,
            last=_last(ended[0], words) if ended else "",
            failures=_failures(counted),
            details=details,
        )


def _ours(document: dict[str, Any]) -> bool:
    labels = document["metadata"].get("labels") or {}
    return labels.get("app.kubernetes.io/managed-by") == OWNER and LABEL in labels


def _annotations(document: dict[str, Any]) -> dict[str, str]:
    return document["metadata"].get("annotations") or {}


def _template(document: dict[str, Any]) -> dict[str, Any]:
    template: dict[str, Any] = document["spec"]["jobTemplate"]["spec"]["template"]
    return template


def _schedule(cron_job: dict[str, Any]) -> Schedule | None:
    try:
        values = json.loads(_annotations(cron_job)[DOCUMENT])
        schedule = Schedule(**{**values, "overrides": tuple(values["overrides"])})
        next(times(schedule.cron, schedule.timezone, datetime.now(timezone.utc)))
    except (KeyError, TypeError, ValueError, UsageError):
        return None
    return schedule


def _end(job: dict[str, Any]) -> str:
    """``Complete`` or ``Failed``; empty while it runs."""
    conditions = job.get("status", {}).get("conditions") or []
    return next((str(one["type"]) for one in conditions if one["type"] in {"Complete", "Failed"} and one["status"] == "True"), "")


def _failures(ended: Sequence[dict[str, Any]]) -> int:
    """How many of them failed in a row, the newest first."""
    return next((index for index, job in enumerate(ended) if _end(job) == "Complete"), len(ended))


def _last(job: dict[str, Any], words: dict[str, dict[str, str]]) -> str:
    said = words.get(job["metadata"]["name"], {}).get("text", "")
    if said:
        return said
    if _end(job) == "Complete":
        return "ended well; its pod is gone"
    failed = next(one for one in job["status"]["conditions"] if one["type"] == "Failed")
    return f"failed: {failed.get('reason', '')}: {failed.get('message', '')}".rstrip(": ")


def _moment(text: str | None) -> datetime:
    """A time as Kubernetes writes it; the beginning of time where there is none."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else datetime.min.replace(tzinfo=timezone.utc)
