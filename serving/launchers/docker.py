"""Boots TF Serving's image, or any with its entry point, as a container of the local Docker engine.

The candidate is mounted read-only; both ports are published on the loopback interface only. Nothing else of this machine is reachable
from inside by way of the container: no capabilities, no new privileges, our own user instead of root.

After a kill -9 here a reaper removes the container; should that be killed too, the next launch finds it by its labels.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped] # it has no types
from docker.errors import APIError, DockerException, ImageNotFound, NotFound  # type: ignore[import-untyped]
from docker.types import Mount  # type: ignore[import-untyped]

from serving.errors import LaunchError, ServerDied
from serving.launchers import owner, readiness, reaper
from serving.launchers.target import Target
from serving.launchers.upstream import GRPC_PORT, MODELS, REST_PORT, UpstreamLauncher, UpstreamServer, load_flags

_HOST = "127.0.0.1"
_STOP_SECONDS = 2  # TF Serving as process 1 ignores the signal; there is nothing to drain


class DockerLauncher(UpstreamLauncher):
    """A `Launcher` of one image. An image that is not here is pulled."""

    def check(self) -> None:
        """See `Launcher.check`."""
        client = _connect()
        try:
            with _told_plainly(self.target.what):
                _have(client, self.target.what)
        finally:
            client.close()

    def _server(self, model_dir: Path, model_name: str) -> DockerServer:
        return DockerServer(self.target, model_dir, model_name)


class DockerServer(UpstreamServer):
    """A `RunningServer` in a container."""

    poll_seconds = 0.2

    def __init__(self, target: Target, model_dir: Path, model_name: str) -> None:
        super().__init__(model_dir, model_name, f"{MODELS}/{model_name}/1")
        self._target = target
        self.name = f"sluiceway-launch-{secrets.token_hex(8)}"
        self._client: Any = None
        self._container: Any = None
        self._reaper: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """See `UpstreamServer.start`."""
        self._client = _connect()
        with _told_plainly(self._target.what):
            _sweep(self._client)
            _have(self._client, self._target.what)
            # Before there is a container: from here on there is always somebody to remove it.
            self._reaper = reaper.start(self._target, self.name)
            self._container = self._client.containers.create(self._target.what, **self._settings())
            self._container.start()

    def _settings(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "command": load_flags(self._target),
            "environment": {"MODEL_NAME": self.model_name, "MODEL_BASE_PATH": MODELS, "HOME": "/tmp"},
            "labels": owner.Owner.this_process().labels(),
            "mounts": [Mount(self._inside, str(self._model_dir), type="bind", read_only=True)],
            "ports": {f"{port}/tcp": (_HOST, None) for port in (GRPC_PORT, REST_PORT)},
            "user": f"{os.getuid()}:{os.getgid()}",
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "restart_policy": {"Name": "no"},
        }

    def _state(self) -> dict[str, Any]:
        with _told_plainly(self._target.what):
            try:
                self._container.reload()
            except NotFound as error:
                raise ServerDied("the container of the model server was removed by somebody else", log_tail=self._final_logs) from error
            state: dict[str, Any] = self._container.attrs["State"]
            return state

    def exit_code(self) -> int | None:
        """See `UpstreamServer.exit_code`."""
        if self._stopped:
            return 0
        state = self._state()
        if state.get("OOMKilled"):
            raise ServerDied(f"{self._target.what}: the model server was killed: out of memory", log_tail=readiness.tail(self.logs()))
        return int(state["ExitCode"]) if state["Status"] in {"exited", "dead"} else None

    def _addresses(self) -> tuple[str, str] | None:
        self._state()
        published = self._container.ports
        rest, grpc = (published.get(f"{port}/tcp") for port in (REST_PORT, GRPC_PORT))
        return (f"{_HOST}:{rest[0]['HostPort']}", f"{_HOST}:{grpc[0]['HostPort']}") if rest and grpc else self._without_ports()

    def _without_ports(self) -> tuple[str, str] | None:
        # A server that has ended publishes nothing any more; its log still tells why.
        return (f"{_HOST}:0", f"{_HOST}:0") if self.exit_code() is not None else None

    def _read_logs(self) -> str:
        if self._container is None:
            return ""
        with _told_plainly(self._target.what):
            try:
                return bytes(self._container.logs()).decode("utf-8", "replace")
            except NotFound:
                return self._final_logs

    def resident_memory(self) -> int:
        """See `RunningServer.resident_memory`: what the engine counts, without the files' cache."""
        if self._stopped or self._container is None or self.exit_code() is not None:
            raise ServerDied("the model server is gone", log_tail=readiness.tail(self.logs()))
        with _told_plainly(self._target.what):
            memory = self._container.stats(stream=False)["memory_stats"]
        detail = memory.get("stats", {})
        return int(detail.get("anon", detail.get("rss", memory.get("usage", 0))))

    def _end(self) -> None:
        try:
            if self._client is not None:
                with contextlib.suppress(LaunchError):
                    _remove(self._client, self.name)
                with contextlib.suppress(DockerException, OSError):
                    self._client.close()
        finally:
            if self._reaper is not None:
                self._reaper.terminate()
                self._reaper.wait()


def remove(target: Target, name: str) -> bool:
    """Remove a container, running or not; False when there is none of that name. Raises LaunchError when the engine cannot be asked."""
    del target
    client = _connect()
    try:
        return _remove(client, name)
    finally:
        client.close()


def _remove(client: Any, name: str) -> bool:
    with _told_plainly(name):
        try:
            client.api.remove_container(name, v=True, force=True)
        except NotFound:
            return False
        except APIError as error:
            if error.status_code != 409:  # it is being removed already
                raise
        return True


def _sweep(client: Any) -> None:
    """Remove the containers of processes that are gone."""
    for container in client.api.containers(all=True, filters={"label": owner.LABEL}):
        if owner.gone(container.get("Labels") or {}):
            _remove(client, container["Id"])


def _connect() -> Any:
    try:
        client = docker.from_env(timeout=60)
        client.ping()
    except (DockerException, OSError) as error:
        raise LaunchError(f"no Docker engine answers ({_line(error)}): start one, or choose another launcher") from error
    return client


def _have(client: Any, image: str) -> None:
    try:
        client.images.get(image)
    except ImageNotFound:
        try:
            client.images.pull(image)
        except (DockerException, OSError) as error:
            raise LaunchError(f"image {image} is not here and cannot be pulled: {_line(error)}") from error


@contextlib.contextmanager
def _told_plainly(what: str) -> Iterator[None]:
    """Whatever the engine or the way to it raises is one line, and never says anything of the model."""
    try:
        yield
    except (DockerException, OSError) as error:
        raise LaunchError(f"{what}: Docker cannot do it: {_line(error)}") from error


def _line(error: Exception) -> str:
    text = getattr(error, "explanation", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:300]
