"""The Kubernetes API as schedules need it: plain documents in and out, every failure told in one line."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

from configs.errors import SluicewayError, UsageError
from pipeline.schedule.cronjob import LABEL, SELECTOR

# To connect, to answer.
_TIMEOUT = (5.0, 15.0)


class Conflict(SluicewayError):
    """Somebody else changed the object in between; read it and try again."""


class Cluster:
    """The CronJobs, Jobs and Pods of one namespace. Making one asks nobody anything."""

    def __init__(self, namespace: str, context: str | None) -> None:
        self.namespace = namespace
        self._context = context
        self._opened: Any = None

    def cron_jobs(self) -> list[dict[str, Any]]:
        """Those that are ours, by name."""
        found = self._call("list CronJobs", "batch", "list_namespaced_cron_job", self.namespace, label_selector=SELECTOR)
        return sorted(found.get("items", []), key=lambda item: str(item["metadata"]["name"]))

    def cron_job(self, name: str) -> dict[str, Any] | None:
        """One, whoever made it; None where there is none."""
        try:
            return self._call(f"read CronJob {name}", "batch", "read_namespaced_cron_job", name, self.namespace)
        except _Missing:
            return None

    def create_cron_job(self, document: dict[str, Any]) -> None:
        """Make it. Raises Conflict where there is one by now."""
        name = document["metadata"]["name"]
        self._call(f"create CronJob {name}", "batch", "create_namespaced_cron_job", self.namespace, document)

    def replace_cron_job(self, document: dict[str, Any]) -> None:
        """Put it in the place of the one it was read from. Raises Conflict where that was changed."""
        name = document["metadata"]["name"]
        self._call(f"replace CronJob {name}", "batch", "replace_namespaced_cron_job", name, self.namespace, document)

    def patch_cron_job(self, name: str, change: dict[str, Any]) -> None:
        """Change a part of it."""
        self._call(f"change CronJob {name}", "batch", "patch_namespaced_cron_job", name, self.namespace, change)

    def delete_cron_job(self, name: str) -> None:
        """Delete it and leave the jobs it made: a run under way goes on, and those that ended go by their own time to live."""
        self._call(f"delete CronJob {name}", "batch", "delete_namespaced_cron_job", name, self.namespace, propagation_policy="Orphan")

    def create_job(self, document: dict[str, Any]) -> None:
        """Start a run."""
        name = document["metadata"]["name"]
        self._call(f"create Job {name}", "batch", "create_namespaced_job", self.namespace, document)

    def jobs(self, name: str | None = None) -> list[dict[str, Any]]:
        """The jobs of a schedule, or of all of them, the newest first."""
        found = self._call(
            "list Jobs", "batch", "list_namespaced_job", self.namespace, label_selector=f"{LABEL}={name}" if name else SELECTOR
        )
        return sorted(found.get("items", []), key=lambda job: str(job["metadata"].get("creationTimestamp", "")), reverse=True)

    def last_words(self) -> dict[str, dict[str, str]]:
        """What the containers of the jobs left behind as they ended, by the job's name."""
        pods = self._call("list Pods", "core", "list_namespaced_pod", self.namespace, label_selector=SELECTOR).get("items", [])
        return {pod["metadata"].get("labels", {}).get("job-name", ""): words for pod in pods if (words := _words(pod))}

    def _call(self, doing: str, group: str, verb: str, *arguments: Any, **options: Any) -> Any:
        opened = self._opened = self._opened or _connect(self._context)
        with _told(doing, self.namespace):
            answer = getattr(opened[group], verb)(*arguments, **options, _request_timeout=_TIMEOUT)
        return opened["client"].sanitize_for_serialization(answer)


class _Missing(UsageError):
    """There is no such object, or no such namespace."""


def _connect(context: str | None) -> dict[str, Any]:
    from kubernetes import client, config
    from yaml import YAMLError

    given, configuration = os.environ.get("KUBECONFIG"), client.Configuration()
    try:
        if context is None and given is None and "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(configuration)
        else:
            config.load_kube_config(config_file=given, context=context, client_configuration=configuration)
    except (config.ConfigException, OSError, YAMLError) as error:
        text = " ".join(str(error).split())
        raise UsageError(f"no Kubernetes cluster is configured: {text}; see `kubectl config get-contexts`, or set KUBECONFIG") from error
    configuration.retries = 0
    opened = client.ApiClient(configuration)
    return {"client": opened, "batch": client.BatchV1Api(opened), "core": client.CoreV1Api(opened)}


@contextlib.contextmanager
def _told(doing: str, namespace: str) -> Iterator[None]:
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    where = f"namespace {namespace}"
    try:
        yield
    except ApiException as error:
        raise _error(error, f"cannot {doing} in {where}") from error
    except HTTPError as error:
        cause = " ".join(str(getattr(error, "reason", None) or error).split())
        raise SluicewayError(f"cannot {doing} in {where}: the Kubernetes API does not answer: {cause}") from error


def _error(error: Any, what: str) -> SluicewayError:
    said = _message(error.body) or str(error.reason)
    if error.status == 401:
        return UsageError(f"{what}: not logged in (401): {said}; renew the login of this kubectl context")
    if error.status == 403:
        return UsageError(f"{what}: not allowed (403): {said}; ask for a role that may (docs/schedules.md)")
    if error.status == 404:
        return _Missing(f"{what}: not found (404): {said}")
    if error.status == 409:
        return Conflict(f"{what}: conflict (409): {said}; try again")
    if error.status in {400, 422}:
        return UsageError(f"{what}: refused by the cluster ({error.status}): {said}")
    return SluicewayError(f"{what}: the Kubernetes API failed ({error.status}): {said}; try again later")


def _message(body: Any) -> str:
    try:
        document = json.loads(body)
    except (TypeError, ValueError):
        return ""
    return " ".join(str(document.get("message", "")).split()) if isinstance(document, dict) else ""


def _words(pod: dict[str, Any]) -> dict[str, str]:
    for status in pod.get("status", {}).get("containerStatuses", []):
        said = str(status.get("state", {}).get("terminated", {}).get("message", ""))
        try:
            document = json.loads(said)
        except ValueError:
            # Not ours: the last lines of the log, where the container ended before it could say anything.
            return {"kind": "failed", "text": " ".join(said.split())[-300:]} if said.strip() else {}
        if isinstance(document, dict):
            return {key: str(document.get(key, "")) for key in ("kind", "text")}
    return {}
