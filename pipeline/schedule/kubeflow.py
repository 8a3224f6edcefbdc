"""Schedules as recurring runs of Kubeflow Pipelines, edited in place as far as that server can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from configs.errors import UsageError
from pipeline.kubeflow.client import KubeflowClient, open_client
from pipeline.kubeflow.cron import kfp_cron
from pipeline.kubeflow.documents import Run
from pipeline.kubeflow.package import Package
from pipeline.kubeflow.recurring import Kept, Wanted, edit, ours
from pipeline.kubeflow.upload import Uploaded, upload
from pipeline.schedule.base import Change, Place, Schedule, Status
from pipeline.schedule.cron import times

_FAILED = frozenset({"FAILED", "CANCELED"})
_UNDER_WAY = frozenset({"PENDING", "RUNNING", "PAUSED", "CANCELING", "RUNTIME_STATE_UNSPECIFIED"})
Compiled = tuple[Package, Mapping[str, Any]]


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


def compiled(schedule: Schedule) -> Compiled:
    """The pipeline of a schedule, and the parameters that its runs are given."""
    from configs.load import load_settings
    from pipeline.kubeflow.runtime import compiled as compile_now
    from pipeline.kubeflow.runtime import split, values

    settings, parts = load_settings(schedule.use_case, schedule.environment, schedule.overrides), split(schedule.overrides)
    package = compile_now(schedule.use_case, schedule.environment, parts)
    return package, values(settings, parts.parameters, package)


class KubeflowScheduler:
    """Every verb asks the server anew; what a schedule is, its recurring run says itself, so that any machine can go on from there."""

    def __init__(
        self,
        place: Place,
        *,
        now: Callable[[], datetime] = _utc_now,
        compiled: Callable[[Schedule], Compiled] = compiled,
        client: Callable[..., KubeflowClient] = open_client,
    ) -> None:
        self._kubeflow = place.config.kubeflow
        self._now, self._compiled, self._client = now, compiled, client

    def set(self, schedule: Schedule) -> Change:
        cron = kfp_cron(schedule.cron, schedule.timezone, self._kubeflow.timezone, self._now())
        with self._client(self._kubeflow) as client:
            package, parameters = self._compiled(schedule)
            wanted = self._wanted(client, schedule, cron, upload(client, package), parameters)
            plan = edit(ours(client.recurring_runs()).get(schedule.name, []), wanted.digest)
            if plan.make:
                mode = "ENABLE" if plan.enabled else "DISABLE"
                client.create_recurring_run(display_name=schedule.name, description=wanted.description, mode=mode, **wanted.fields)
            _retire(client, plan.surplus)
        return plan.change

    def pause(self, name: str) -> None:
        with self._client(self._kubeflow) as client:
            for each in self._found(client, name):
                _disable(client, each)

    def resume(self, name: str) -> None:
        with self._client(self._kubeflow) as client:
            first, *others = self._found(client, name)
            if not first.run.enabled:
                client.enable_recurring_run(first.run.recurring_run_id)
            _retire(client, others)

    def list(self) -> list[Status]:
        with self._client(self._kubeflow) as client:
            found = ours(client.recurring_runs())
            experiments = {kept.run.experiment_id for several in found.values() for kept in several}
            runs = {experiment: client.runs(experiment) for experiment in experiments}
            return [self._status(client.host, several, runs[several[0].run.experiment_id]) for several in found.values()]

    def run_now(self, name: str) -> str:
        with self._client(self._kubeflow) as client:
            kept = self._found(client, name)[0].run
            reference = kept.pipeline_version_reference
            run = client.create_run(
                display_name=f"{_asked(name)}{self._now():%Y-%m-%d %H:%M:%S}",
                experiment_id=kept.experiment_id,
                pipeline_version_reference={
                    "pipeline_id": reference.pipeline_id,
                    "pipeline_version_id": reference.pipeline_version_id,
                },
                runtime_config={"parameters": kept.runtime_config.parameters},
                service_account=self._kubeflow.service_account,
            )
            return client.run_url(run.run_id)

    def delete(self, name: str) -> None:
        with self._client(self._kubeflow) as client:
            # The one that counts goes last: killed half-way, what is left is still the schedule.
            busy = _retire(client, list(reversed(self._found(client, name))))
        if busy:
            raise UsageError(
                f"schedule {name!r} is paused, but not deleted yet: its run {busy[0].display_name} is under way, and Kubeflow "
                "would end it; delete the schedule again when it has ended"
            )

    def _wanted(self, client: KubeflowClient, schedule: Schedule, cron: str, uploaded: Uploaded, parameters: Mapping[str, Any]) -> Wanted:
        fields = {
            "experiment_id": client.experiment(self._kubeflow.experiment),
            "pipeline_version_reference": {"pipeline_id": uploaded.pipeline_id, "pipeline_version_id": uploaded.version_id},
            "runtime_config": {"parameters": dict(parameters)},
            "trigger": {"cron_schedule": {"cron": cron}},
            "max_concurrency": "1",  # runs of one schedule never overlap
            "no_catchup": True,  # after a pause the newest missed time is made up for, not all of them
            "service_account": self._kubeflow.service_account,
        }
        return Wanted(schedule, fields)

    def _found(self, client: KubeflowClient, name: str) -> Sequence[Kept]:
        """The recurring runs of a schedule, the one that counts first."""
        found = ours(client.recurring_runs())
        if name not in found:
            known = ", ".join(found) or "none"
            raise UsageError(f"no schedule {name!r} on {client.host}; there are: {known} (sluiceway schedule set makes one)")
        return found[name]

    def _status(self, host: str, several: Sequence[Kept], runs: Sequence[Run]) -> Status:
        kept, ids = several[0], {each.run.recurring_run_id for each in several}
        schedule = kept.schedule
        mine = [run for run in runs if run.recurring_run_id in ids or run.display_name.startswith(_asked(schedule.name))]
        ended = [run for run in mine if run.state not in _UNDER_WAY]
        failures = next((number for number, run in enumerate(ended) if run.state not in _FAILED), len(ended))
        enabled = kept.run.enabled
        return Status(
            schedule,
            paused=not enabled,
            reason="" if enabled else "disabled on Kubeflow",
            next_run=next(times(schedule.cron, schedule.timezone, self._now())) if enabled else None,
            last_run=mine[0].created_at if mine else None,
            last=mine[0].state.lower() if mine else "",
            failures=failures,
            details=_details(host, kept, several[1:]),
        )


def _disable(client: KubeflowClient, kept: Kept) -> None:
    if kept.run.enabled:
        client.disable_recurring_run(kept.run.recurring_run_id)


def _retire(client: KubeflowClient, several: Sequence[Kept]) -> list[Run]:
    """Disable them, and delete those without a run under way: Kubeflow ends the runs of what is deleted. Returns the runs in the way."""
    for each in several:
        _disable(client, each)
    in_the_way: list[Run] = []
    for experiment in {each.run.experiment_id for each in several}:
        in_the_way += [run for run in client.runs(experiment) if run.state in _UNDER_WAY]
    for each in several:
        if each.run.recurring_run_id not in {run.recurring_run_id for run in in_the_way}:
            client.delete_recurring_run(each.run.recurring_run_id)
    ids = {each.run.recurring_run_id for each in several}
    return [run for run in in_the_way if run.recurring_run_id in ids]


def _asked(name: str) -> str:
    """How the names of runs begin that were asked for by hand."""
    return f"{name} now "


def _details(host: str, kept: Kept, others: Sequence[Kept]) -> dict[str, str]:
    schedule = kept.schedule
    told = {
        "recurring run": f"{host}/#/recurringrun/details/{kept.run.recurring_run_id}",
        "cron on Kubeflow": kept.run.trigger.cron_schedule.cron,
        "not on Kubeflow": "starts without jitter; does not pause itself after failures",
    }
    if schedule.trigger != "time":
        told["new data"] = "each run looks first, and ends as unchanged where nothing is new"
    if schedule.trigger == "both":
        told["new data"] += "; it looks only at the times of the cron expression"
    if any(each.run.enabled for each in others):
        told["unfinished"] = "two of this name start runs, left by a change that was broken off: set the schedule again"
    elif others:
        told["retired"] = f"{len(others)} older, disabled; they go with the next set, once their runs have ended"
    return told
