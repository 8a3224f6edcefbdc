"""Runs a compiled pipeline with the official SDK's local runner: a program of its own, for it needs a newer SDK than the classic stack has.

With ``--engine docker`` each step is a container. With ``--engine process`` the SDK's own Docker runner is given an engine that starts
the step's command as a process instead: the same orchestration, placeholders and executor outputs, on a machine without Docker.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class _Process:
    """A container that is a process."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL
        )

    def logs(self, **_: Any) -> Iterator[bytes]:
        assert self._process.stdout is not None
        yield from self._process.stdout

    def wait(self) -> dict[str, int]:
        return {"StatusCode": self._process.wait()}


class _Engine:
    """As much of the Docker client as the SDK's runner uses."""

    def __init__(self, image: str) -> None:
        self.images = types.SimpleNamespace(list=lambda: [types.SimpleNamespace(tags=[image], attrs={"RepoDigests": []})])
        self.containers = types.SimpleNamespace(run=self._run)

    def info(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        pass

    @staticmethod
    def _run(*, command: list[str], environment: dict[str, str] | None = None, **_: Any) -> _Process:
        return _Process(command, environment or {})


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("package", type=Path)
    parser.add_argument("--engine", choices=["docker", "process"], required=True)
    parser.add_argument("--image", required=True)
    parser.add_argument("--root", type=Path, required=True, help="where the tasks' outputs go")
    parser.add_argument("--folder", required=True, help="mounted into the containers, at the same path")
    parser.add_argument("--parameters", type=json.loads, default={})
    given = parser.parse_args()

    import docker
    from kfp import components, local

    if given.engine == "process":
        docker.from_env = lambda: _Engine(given.image)
    # The SDK makes the outputs' folders itself, as the user who runs it; a step writes into them as the image's user.
    os.umask(0)
    container: dict[str, Any] = {"network_mode": "none", "mounts": [docker.types.Mount(given.folder, given.folder, type="bind")]}
    runner = local.DockerRunner(**(container if given.engine == "docker" else {}))
    local.init(runner=runner, pipeline_root=str(given.root), raise_on_error=True)
    pipeline = components.load_component_from_file(str(given.package))
    pipeline(**given.parameters)
    return 0


if __name__ == "__main__":
    sys.exit(main())
