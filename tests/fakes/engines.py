"""Something to run on for every launcher: the nearest real thing this machine has.

binary: our own server under TF Serving's name, found on PATH. docker: a real engine with an image that has TF Serving's entry point
(``SLUICEWAY_TEST_SERVER_IMAGE``). kubernetes: the official client against an API server whose pods are processes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serving.launchers.owner import LABEL
from serving.launchers.target import Target
from tests.fakes import kubernetes_api

IMAGE = "SLUICEWAY_TEST_SERVER_IMAGE"


def no_docker() -> str | None:
    """Why the docker launcher cannot be tried here; None when it can."""
    if not os.environ.get(IMAGE):
        return f"{IMAGE} names no image that has TF Serving's entry point"
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        return "no Docker engine answers"
    return None


@contextlib.contextmanager
def engine(kind: str, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Target, Callable[[], list[str]]]]:
    """A target of that kind, and a look at what its engine still runs of ours. Skips the test where there is no engine."""
    if kind == "binary":
        program = scratch / "tensorflow_model_server"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m serving.server "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(scratch), prepend=os.pathsep)
        yield Target("binary", program.name), list
    elif kind == "docker":
        if reason := no_docker():
            pytest.skip(reason)
        yield Target("docker", os.environ[IMAGE]), containers
    elif kind == "kubernetes":
        # The volume is the whole disk: the tests' models lie in several places.
        with kubernetes_api.cluster(scratch, {"models": Path("/")}) as cluster:
            cluster.write_kubeconfig(scratch / "kubeconfig")
            monkeypatch.setenv("KUBECONFIG", str(scratch / "kubeconfig"))
            monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "inside the cluster: its network is this machine's")
            target = Target("kubernetes", "tensorflow/serving:any", namespace="default", claim="models", mount="/")
            yield target, lambda: list(cluster.pods)
            assert all(pod["spec"]["activeDeadlineSeconds"] > 0 for pod in cluster.created)
    else:
        yield Target(kind), list


def containers() -> list[str]:
    command = ["docker", "ps", "--all", "--quiet", "--filter", f"label={LABEL}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
