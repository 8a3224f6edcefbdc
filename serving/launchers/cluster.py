"""The few calls a launcher makes to a cluster, with every error told as one line that says nothing of the model."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client import ApiException
from kubernetes.utils import parse_quantity

from serving.errors import LaunchError
from serving.launchers import owner
from serving.launchers.pod import CONTAINER, DEADLINE_SECONDS
from serving.launchers.target import Target

_SERVICE_HOST = "KUBERNETES_SERVICE_HOST"
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_TIMEOUTS = (5, 30)  # to connect, to answer; seconds
_PASSING = frozenset({429, 500, 502, 503, 504})
RIGHTS = "serving/deploy/kubernetes/launcher-rbac.yaml"


def inside(target: Target) -> bool:
    """Do we run in the cluster that the target means, so that a pod's own address reaches it?"""
    return target.context is None and _SERVICE_HOST in os.environ


class Cluster:
    """Pods of one namespace."""

    def __init__(self, target: Target) -> None:
        """Raises LaunchError when there is no configuration that leads to a cluster."""
        self._target = target
        settings = client.Configuration()
        try:
            if inside(target) and "KUBECONFIG" not in os.environ:
                config.load_incluster_config(client_configuration=settings)
            else:
                # Named again: the library looks at the variable only when it is imported.
                config.load_kube_config(os.environ.get("KUBECONFIG"), context=target.context, client_configuration=settings)
        except (config.ConfigException, OSError) as error:
            raise LaunchError(f"no cluster is configured: {_one_line(str(error))}; see launchers.kubernetes.context") from error
        settings.retries = 0
        self._host = settings.host
        self._api = client.ApiClient(settings)
        self._pods = client.CoreV1Api(self._api)

    def create(self, manifest: Mapping[str, Any]) -> None:
        """Make a pod."""
        with self._told_plainly("create a pod"):
            self._pods.create_namespaced_pod(self._target.namespace, manifest, _request_timeout=_TIMEOUTS)

    def read(self, name: str) -> Any | None:
        """A pod; None when there is none of that name. Raises PassingError for an error that may be over the next time."""
        with self._told_plainly("read a pod"):
            try:
                return self._pods.read_namespaced_pod(name, self._target.namespace, _request_timeout=_TIMEOUTS)
            except ApiException as error:
                if error.status == 404:
                    return None
                raise

    def logs(self, name: str) -> str:
        """What its server has printed; "" while it has not started, or when the pod is gone."""
        with self._told_plainly("read a pod's log"):
            try:
                answer = self._pods.read_namespaced_pod_log(
                    name, self._target.namespace, container=CONTAINER, _request_timeout=_TIMEOUTS, _preload_content=False
                )
                return bytes(answer.data).decode("utf-8", "replace")
            except ApiException as error:
                if error.status in {400, 404}:
                    return ""
                raise

    def memory(self, name: str) -> int:
        """Bytes the pod's server holds, by the cluster's metrics server."""
        with self._told_plainly("read a pod's metrics (is there a metrics server?)"):
            metrics = client.CustomObjectsApi(self._api).get_namespaced_custom_object(
                "metrics.k8s.io", "v1beta1", self._target.namespace, "pods", name, _request_timeout=_TIMEOUTS
            )
            return int(sum(parse_quantity(container["usage"]["memory"]) for container in metrics["containers"]))

    def delete(self, name: str) -> bool:
        """Delete a pod; False when there is none of that name."""
        with self._told_plainly("delete a pod"):
            try:
                self._pods.delete_namespaced_pod(name, self._target.namespace, grace_period_seconds=1, _request_timeout=_TIMEOUTS)
            except ApiException as error:
                if error.status == 404:
                    return False
                raise
            return True

    def sweep(self) -> None:
        """Delete pods of processes that are gone, and those past their deadline, whoever they were for."""
        with self._told_plainly("list pods"):
            listed = self._pods.list_namespaced_pod(self._target.namespace, label_selector=f"{owner.LABEL}=1", _request_timeout=_TIMEOUTS)
        oldest = datetime.now(timezone.utc) - timedelta(seconds=DEADLINE_SECONDS)
        for pod in listed.items:
            if owner.gone(pod.metadata.labels) or pod.metadata.creation_timestamp < oldest:
                self.delete(pod.metadata.name)

    def own_pod(self) -> dict[str, str] | None:
        """Name and uid of the pod we run in; None when we run in none, in another namespace, or may not know."""
        try:
            here = _NAMESPACE_FILE.read_text(encoding="utf-8").strip()
        except OSError:
            here = os.environ.get("POD_NAMESPACE", "")
        if not inside(self._target) or here != self._target.namespace:
            return None
        name = os.environ.get("POD_NAME") or os.environ.get("KFP_POD_NAME") or os.environ.get("HOSTNAME", "")
        uid = os.environ.get("POD_UID") or os.environ.get("KFP_POD_UID")
        if name and not uid:
            with contextlib.suppress(LaunchError):
                pod = self.read(name)
                uid = pod.metadata.uid if pod is not None else None
        return {"name": name, "uid": uid} if name and uid else None

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    @contextlib.contextmanager
    def _told_plainly(self, what: str) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            message = _message(error)
            if error.status in {401, 403}:
                message += f"; the rights it takes are in {RIGHTS}"
            kind = PassingError if error.status in _PASSING else LaunchError
            raise kind(f"the cluster refuses to {what} in namespace {self._target.namespace}: {error.status} {message}") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise PassingError(f"the cluster at {self._host} cannot be reached: {_one_line(str(reason))}") from error


class PassingError(LaunchError):
    """The cluster could not be asked just now; it may be asked again."""


def _message(error: ApiException) -> str:
    try:
        text = str(json.loads(error.body)["message"])
    except (ValueError, TypeError, KeyError):
        text = str(error.reason)
    return _one_line(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
