"""A schedule as a Kubernetes CronJob: plain values, the same for the same schedule and environment.

The whole run is one container of the pipeline image. Times, overlap and one catch-up are the CronJob's; jitter, news and the stop after
repeated failure are ours, inside the container (``sluiceway schedule fire``), because a CronJob knows none of them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from itertools import islice, pairwise
from typing import Any

from configs.environment import EnvironmentConfig, Kubeflow, KubernetesLauncher, Step
from configs.errors import UsageError
from pipeline.nodes import node_names
from pipeline.schedule.base import Schedule
from pipeline.schedule.cron import times

OWNER = "sluiceway"
LABEL = "sluiceway/schedule"
DOCUMENT = "sluiceway/document"
DIGEST = "sluiceway/digest"
REASON = "sluiceway/reason"
RESUMED = "sluiceway/resumed"
CONTAINER = "run"
SELECTOR = f"app.kubernetes.io/managed-by={OWNER},{LABEL}"

_KEPT_SECONDS = 7 * 24 * 3600
_NODE_MINUTES = 60
_FIXED = datetime(2026, 1, 5, tzinfo=timezone.utc)


def render(schedule: Schedule, environment: EnvironmentConfig) -> dict[str, Any]:
    """The CronJob of a schedule.

    Raises:
        UsageError: a CronJob cannot do what the schedule asks for.
    """
    if schedule.trigger == "both":
        raise UsageError(
            "--trigger both: a CronJob has one set of times; make two: --trigger time, and --trigger data with a --name of its own"
        )
    labels = {"app.kubernetes.io/name": OWNER, "app.kubernetes.io/managed-by": OWNER, LABEL: schedule.name}
    document = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": schedule.name,
            "namespace": namespace(environment),
            "labels": labels,
            "annotations": {DOCUMENT: json.dumps(asdict(schedule), sort_keys=True)},
        },
        "spec": {
            "schedule": schedule.cron,
            "timeZone": schedule.timezone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": _catch_up_seconds(schedule),
            "suspend": False,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": max(3, schedule.stop_after_failures),
            "jobTemplate": {"metadata": {"labels": labels}, "spec": _job(schedule, environment, labels)},
        },
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    document["metadata"]["annotations"][DIGEST] = f"sha256:{digest}"  # type: ignore[index]
    return document


def namespace(environment: EnvironmentConfig) -> str:
    """Where the CronJobs of an environment are.

    Raises:
        UsageError: none is named, and a claim is to be mounted: a pod finds only claims of its own namespace.
    """
    kubeflow, chosen = environment.kubeflow, environment.launchers.kubernetes.namespace
    if kubeflow.namespace is None and kubeflow.volumes and chosen == KubernetesLauncher().namespace:
        raise UsageError(
            f"no namespace is named for CronJobs, and the claim {kubeflow.volumes[0].claim!r} must be in the same one; name it, for "
            "example --set kubeflow.namespace=kubeflow"
        )
    return kubeflow.namespace or chosen


def arguments(schedule: Schedule) -> list[str]:
    """What the container is started with."""
    overrides = [part for text in schedule.overrides for part in ("--set", text)]
    return [
        *("schedule", "fire", schedule.use_case, "--name", schedule.name, "--env", schedule.environment, *overrides),
        *("--cron", schedule.cron, "--timezone", schedule.timezone, "--trigger", schedule.trigger),
        *("--jitter", str(schedule.jitter_seconds), "--stop-after", str(schedule.stop_after_failures), "--json"),
    ]


def job_now(cron_job: dict[str, Any], suffix: str) -> dict[str, Any]:
    """A Job out of a CronJob's template, beside its times, as ``kubectl create job --from`` makes it."""
    meta, template = cron_job["metadata"], cron_job["spec"]["jobTemplate"]
    spec = json.loads(json.dumps(template["spec"]))
    container = spec["template"]["spec"]["containers"][0]
    container["args"] = [*container["args"], "--asked"]
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": meta["name"], "uid": meta["uid"], "controller": True}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{meta['name']}-now-{suffix}",
            "namespace": meta["namespace"],
            "labels": template["metadata"]["labels"],
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [owner],
        },
        "spec": spec,
    }


def _job(schedule: Schedule, environment: EnvironmentConfig, labels: dict[str, str]) -> dict[str, Any]:
    kubeflow = environment.kubeflow
    # The one container does the work of every node, so it gets what the largest of them, the trainer, gets.
    step = kubeflow.steps.get("Trainer", kubeflow.step)
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(schedule, environment, step)],
    }
    if kubeflow.service_account:
        pod["serviceAccountName"] = kubeflow.service_account
    if step.node_selector:
        pod["nodeSelector"] = dict(sorted(step.node_selector.items()))
    if kubeflow.volumes:
        claims = enumerate(volume.claim for volume in kubeflow.volumes)
        pod["volumes"] = [{"name": f"volume-{index}", "persistentVolumeClaim": {"claimName": claim}} for index, claim in claims]
    return {
        # A run that failed is not tried again by itself: the next time, or a person, does that.
        "backoffLimit": 0,
        "activeDeadlineSeconds": _deadline_seconds(kubeflow) + schedule.jitter_seconds,
        "ttlSecondsAfterFinished": _KEPT_SECONDS,
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }


def _container(schedule: Schedule, environment: EnvironmentConfig, step: Step) -> dict[str, Any]:
    kubeflow = environment.kubeflow
    resumed = {"name": "SLUICEWAY_RESUMED", "valueFrom": {"fieldRef": {"fieldPath": f"metadata.annotations['{RESUMED}']"}}}
    secrets = [
        {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret.name, "key": key}}}
        for secret in kubeflow.secrets
        for key, variable in sorted(secret.keys.items())
    ]
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": kubeflow.image,
        "command": ["sluiceway"],
        "args": arguments(schedule),
        "env": [resumed, *({"name": name, "value": value} for name, value in sorted(kubeflow.env.items())), *secrets],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {"allowPrivilegeEscalation": False, "privileged": False, "capabilities": {"drop": ["ALL"]}},
    }
    resources = _resources(step)
    if resources:
        container["resources"] = {"requests": resources, "limits": resources}
    if kubeflow.volumes:
        container["volumeMounts"] = [{"name": f"volume-{index}", "mountPath": volume.path} for index, volume in enumerate(kubeflow.volumes)]
    return container


def _resources(step: Step) -> dict[str, str]:
    wanted = {"cpu": step.cpu, "memory": step.memory, step.accelerator: str(step.accelerators) if step.accelerator else None}
    return {name: amount for name, amount in wanted.items() if name and amount}


def _deadline_seconds(kubeflow: Kubeflow) -> int:
    """As long as the nodes may take one after the other."""
    steps = [kubeflow.steps.get(node, kubeflow.step) for node in node_names(tuner=True)]
    return sum((step.timeout_minutes or _NODE_MINUTES) * 60 for step in steps)


def _catch_up_seconds(schedule: Schedule) -> int:
    """As long as a missed time is still made up for: until the following one, a day at most, so that there is never more than one."""
    # From a fixed day on, so that the manifest does not depend on today.
    gaps = [later - earlier for earlier, later in pairwise(islice(times(schedule.cron, schedule.timezone, _FIXED), 50))]
    return int(min(*gaps, timedelta(days=1)).total_seconds())
