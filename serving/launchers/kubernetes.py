"""Boots TF Serving's image, or any with its entry point, as a pod that mounts the candidate's volume read-only.

Inside the cluster the pod is asked at its own address; from outside, through ``kubectl port-forward``.

Nothing outlives its purpose: `stop` deletes the pod. After a kill -9 of this process a reaper does; when all of this container is killed,
the cluster removes the pod with the pod we ran in, which owns it; and where there is no such owner the pod's own deadline ends it and the
next launch in the namespace deletes it.
"""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import time
from pathlib import Path
from typing import Any

from serving.errors import LaunchError, ServerDied
from serving.launchers import owner, readiness, reaper
from serving.launchers.cluster import Cluster, PassingError, inside
from serving.launchers.forward import Forward
from serving.launchers.pod import manifest, place_on_volume
from serving.launchers.target import Target
from serving.launchers.upstream import GRPC_PORT, MODELS, REST_PORT, UpstreamLauncher, UpstreamServer

_LOOK_SECONDS = 0.2
# Reasons of a container that waits and will go on waiting.
_NEVER = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError",
                    "CreateContainerError", "RunContainerError"})  # fmt: skip


class KubernetesLauncher(UpstreamLauncher):
    """A `Launcher` of one image, in one namespace of one cluster."""

    def check(self) -> None:
        """See `Launcher.check`: is there a cluster, and does it let us look? Whether it has the image, only a pod can tell."""
        cluster = Cluster(self.target)
        try:
            cluster.sweep()
        finally:
            cluster.close()

    def _server(self, model_dir: Path, model_name: str) -> PodServer:
        return PodServer(self.target, model_dir, model_name)


class PodServer(UpstreamServer):
    """A `RunningServer` in a pod."""

    start_seconds = 600.0  # finding a machine, pulling a large image
    poll_seconds = 0.5

    def __init__(self, target: Target, model_dir: Path, model_name: str) -> None:
        super().__init__(model_dir, model_name, f"{MODELS}/{model_name}/1")
        self._target = target
        self.name = f"sluiceway-launch-{secrets.token_hex(8)}"
        self._cluster: Cluster | None = None
        self._forward: Forward | None = None
        self._reaper: subprocess.Popen[bytes] | None = None
        self._seen: Any = None
        self._seen_at = float("-inf")

    def start(self) -> None:
        """See `UpstreamServer.start`."""
        place = place_on_volume(self._model_dir, self._target.mount)
        cluster = self._cluster = Cluster(self._target)
        cluster.sweep()
        pod = manifest(self._target, self.name, self.model_name, place, owner.Owner.this_process().labels(), cluster.own_pod())
        # Before there is a pod: from here on there is always somebody to remove it.
        self._reaper = reaper.start(self._target, self.name)
        cluster.create(pod)

    def _pod(self) -> Any:
        """The pod as it was seen last, a moment ago at most. Raises ServerDied when it is gone."""
        if self._cluster is None:
            raise ServerDied("the pod was not made")
        if time.monotonic() > self._seen_at + _LOOK_SECONDS:
            with contextlib.suppress(PassingError):
                pod = self._cluster.read(self.name)
                if pod is None:
                    raise ServerDied(f"pod {self.name} was deleted by somebody else", log_tail=self._final_logs)
                self._seen, self._seen_at = pod, time.monotonic()
        return self._seen

    def _container(self) -> Any | None:
        """The state of the pod's one container; None before it has any."""
        pod = self._pod()
        statuses = (pod.status.container_statuses or []) if pod is not None else []
        return statuses[0].state if statuses else None

    def exit_code(self) -> int | None:
        """See `UpstreamServer.exit_code`."""
        if self._stopped:
            return 0
        state, pod = self._container(), self._seen
        if state is not None and state.waiting is not None and state.waiting.reason in _NEVER:
            raise LaunchError(f"{self._target.what}: {state.waiting.reason}: {_line(state.waiting.message)}")
        if state is not None and state.terminated is not None:
            if state.terminated.reason == "OOMKilled":
                raise ServerDied(f"{self._target.what}: the model server was killed: out of memory", log_tail=readiness.tail(self.logs()))
            return int(state.terminated.exit_code)
        if pod is not None and pod.status.phase == "Failed":
            raise ServerDied(f"pod {self.name} failed: {pod.status.reason}: {_line(pod.status.message)}")
        return None

    def _addresses(self) -> tuple[str, str] | None:
        state, pod = self._container(), self._seen
        if state is None or (state.running is None and state.terminated is None) or not pod.status.pod_ip:
            return None
        if inside(self._target):
            return f"{pod.status.pod_ip}:{REST_PORT}", f"{pod.status.pod_ip}:{GRPC_PORT}"
        if self._forward is None:
            self._forward = Forward(self._target, self.name)
        return self._forward.addresses()

    def _read_logs(self) -> str:
        if self._cluster is None:
            return ""
        with contextlib.suppress(PassingError):
            self._final_logs = self._cluster.logs(self.name) or self._final_logs
        return self._final_logs or self._why_pending()

    def _why_pending(self) -> str:
        conditions = (self._seen.status.conditions or []) if self._seen is not None else []
        return "\n".join(f"{self._seen.status.phase}: {_line(item.message)}" for item in conditions if item.message)

    def resident_memory(self) -> int:
        """See `RunningServer.resident_memory`."""
        if self._stopped or self._cluster is None or self.exit_code() is not None:
            raise ServerDied("the model server is gone", log_tail=readiness.tail(self.logs()))
        return self._cluster.memory(self.name)

    def _end(self) -> None:
        try:
            if self._forward is not None:
                self._forward.close()
            if self._cluster is not None:
                with contextlib.suppress(LaunchError):
                    self._cluster.delete(self.name)
                self._cluster.close()
        finally:
            if self._reaper is not None:
                self._reaper.terminate()
                self._reaper.wait()


def remove(target: Target, name: str) -> bool:
    """Delete a pod; False when there is none of that name. Raises LaunchError when the cluster cannot be asked."""
    cluster = Cluster(target)
    try:
        return cluster.delete(name)
    finally:
        cluster.close()


def _line(text: str | None) -> str:
    return " ".join((text or "").split())[:300]
