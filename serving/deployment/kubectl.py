"""kubectl, called as a program: it knows the cluster, the account and the API's versions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from configs.errors import SluicewayError, UsageError

_SECONDS = 120
# Ours to change, field by field; what others own (a scaler, a person) stays theirs.
_OURS = ("--server-side", "--field-manager=sluiceway")
_MISSING_KINDS = {
    **dict.fromkeys(
        ("IngressRoute", "Middleware", "ServersTransport"),
        "the cluster has no Traefik of version 3: install it, or --set deploy.entrance.kind=ingress",
    ),
    "ServiceMonitor": "the cluster has no Prometheus Operator: install it, or --set deploy.monitoring=false",
}


class Kubectl:
    """A cluster, seen through kubectl."""

    def __init__(self, namespace: str, context: str | None = None) -> None:
        """Raises UsageError: kubectl is not installed."""
        program = shutil.which("kubectl")
        if program is None:
            raise UsageError("kubectl is not on PATH: install it, or write what it would apply: sluiceway deploy render -o FOLDER")
        self.namespace = namespace
        self._command = [program, *([f"--context={context}"] if context else [])]

    def context(self) -> str:
        """The context that calls go to."""
        given = [part.partition("=")[2] for part in self._command[1:]]
        return given[0] if given else self._run("config", "current-context").strip()

    def check_namespace(self) -> None:
        """Raises UsageError: the cluster has no such namespace."""
        done = self._call("get", "namespace", self.namespace, "--output=name")
        if done.returncode and "NotFound" in done.stderr:
            raise UsageError(f"the cluster has no namespace {self.namespace}: kubectl create namespace {self.namespace}")
        self._answer(done)

    def diff(self, folder: str) -> str:
        """What applying a folder would change, as a unified diff; empty when nothing."""
        done = self._call("diff", *_OURS, f"--kustomize={folder}")
        if done.returncode not in (0, 1):
            raise _failed("diff", done.stderr)
        return done.stdout if done.returncode == 1 else ""

    def apply(self, folder: str) -> list[str]:
        """Apply a folder; what became of each object, one line each."""
        return self._run("apply", *_OURS, f"--kustomize={folder}").splitlines()

    def get(self, kinds: Sequence[str], selector: str) -> Any:
        """The objects of some kinds, as the API's own document."""
        text = self._run("get", ",".join(kinds), f"--namespace={self.namespace}", f"--selector={selector}", "--output=json")
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise SluicewayError(f"kubectl get answered what is no JSON: {text[:80]!r}") from error

    def execute(self, pod: str, container: str, command: Sequence[str]) -> str:
        """What a command prints inside a container. Raises SluicewayError."""
        return self._run("exec", f"--namespace={self.namespace}", pod, f"--container={container}", "--", *command)

    def _run(self, *arguments: str) -> str:
        return self._answer(self._call(*arguments))

    def _answer(self, done: subprocess.CompletedProcess[str]) -> str:
        if done.returncode:
            raise _failed(done.args[len(self._command)], done.stderr)
        return done.stdout

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # A person's own difference viewer may wait for a key, or leave out what the exit code means.
        environment = {name: value for name, value in os.environ.items() if name != "KUBECTL_EXTERNAL_DIFF"}
        try:
            return subprocess.run(
                [*self._command, *arguments],
                capture_output=True,
                text=True,
                env=environment,
                timeout=_SECONDS,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SluicewayError(f"kubectl {arguments[0]} did not end within {_SECONDS} s; is the cluster there?") from error


def _failed(verb: str, said: str) -> SluicewayError:
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("Warning:")]
    for kind, way_out in _MISSING_KINDS.items():
        if f'"{kind}"' in said and "no matches for kind" in said:
            return UsageError(way_out)
    for line in lines:
        if "conflict" in line:
            return SluicewayError(f"kubectl {verb}: {line}; whoever owns that field has to let go of it, or take it with --force-conflicts")
    return SluicewayError(f"kubectl {verb}: {lines[-1] if lines else 'it failed without a word'}")
