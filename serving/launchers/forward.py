"""Ports of this machine that lead to a pod, for a gate that runs outside the cluster.

``kubectl port-forward`` does it: it speaks the API server's tunnels in every version of them, which the Python client does only for one
connection at a time. It runs under the supervisor, so that it ends with us.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time

from serving.errors import LaunchError
from serving.launchers.child import engine_environment
from serving.launchers.ports import HOST, ReservedPorts
from serving.launchers.target import Target
from serving.launchers.upstream import GRPC_PORT, REST_PORT

_PAUSE_SECONDS = 0.5  # kubectl ends when the server does not listen yet
_HOPELESS = ("forbidden", "Unauthorized", "unknown flag", "does not exist")


class Forward:
    """Two local ports that lead to a pod's, from the first `addresses` to `close`."""

    def __init__(self, target: Target, pod: str) -> None:
        self._target, self._pod = target, pod
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = ReservedPorts()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._started_at = 0.0

    def addresses(self) -> tuple[str, str]:
        """``host:port`` for REST and for gRPC. A forwarder that ended is started again. Raises LaunchError."""
        ended = self._process is None or self._process.poll() is not None
        if ended and time.monotonic() > self._started_at + _PAUSE_SECONDS:
            said = os.pread(self._said.fileno(), 10_000, 0).decode("utf-8", "replace").strip()
            if any(word in said for word in _HOPELESS):
                raise LaunchError(f"kubectl port-forward: {said.splitlines()[-1][:300]}")
            self._said.seek(0)
            self._said.truncate()
            self._started_at = time.monotonic()
            self._process = self._spawn()
        return f"{HOST}:{self._ports.rest}", f"{HOST}:{self._ports.grpc}"

    def _spawn(self) -> subprocess.Popen[bytes]:
        kubectl = shutil.which("kubectl")
        if kubectl is None:
            raise LaunchError("kubectl is not on PATH: outside the cluster it leads to the pod's ports")
        context = [f"--context={self._target.context}"] if self._target.context else []
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "serving.launchers.supervisor", str(os.getpid()), "", kubectl, *context),
                *(f"--namespace={self._target.namespace}", "port-forward", f"--address={HOST}", f"pod/{self._pod}"),
                *(f"{self._ports.rest}:{REST_PORT}", f"{self._ports.grpc}:{GRPC_PORT}"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            env=engine_environment(),
            start_new_session=True,
        )
        with process.stdin as go:  # type: ignore[union-attr] # it is a pipe
            go.write(b"go\n")
        return process

    def close(self) -> None:
        """End it. May be called twice."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        self._said.close()
        self._ports.close()
