"""The services of a rendered compose file, started by plain docker as the file says, for machines whose engine has no compose plug-in."""

from __future__ import annotations

import re
import shlex
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from serving.launchers.readiness import wait_for


def docker(*arguments: str, code: int | None = 0) -> str:
    """What a docker command printed; it must end with this code, if one is given."""
    ended = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=180, check=False)
    assert code is None or ended.returncode == code, f"docker {' '.join(arguments)}: {ended.stdout}{ended.stderr}"
    return ended.stdout.strip()


class Services:
    """Some services of a folder that `deploy render --overlay compose` wrote, on networks of their own."""

    def __init__(self, folder: Path, names: list[str], instead: Mapping[str, Path]) -> None:
        """
        Args:
            instead: folders to mount instead of some of the file's, by their name there.
        """
        self._folder, self._tag, self._instead = folder, uuid.uuid4().hex[:8], instead
        values = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines() if "=" in line)
        values = {name: value.strip("'") for name, value in values.items()}
        text = (folder / "compose.yaml").read_text(encoding="utf-8")
        document = yaml.safe_load(re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: values.get(found[1]) or found[2], text))
        self._services = {name: document["services"][name] for name in names}
        self._networks = document["networks"]
        self._containers: dict[str, str] = {}

    def up(self) -> None:
        """Start them and wait until their own health checks say that they are well."""
        for name in sorted({network for service in self._services.values() for network in service["networks"]}):
            docker("network", "create", *(["--internal"] if self._networks[name].get("internal") else []), self.network(name))
        for name, service in self._services.items():
            first, *others = service["networks"]
            options = [f"--network={self.network(first)}", f"--network-alias={name}", *self._options(service)]
            started = [*options, service["image"], *service.get("entrypoint", [])[1:], *service["command"]]
            self._containers[name] = docker("create", *started)
            for other in others:
                docker("network", "connect", f"--alias={name}", self.network(other), self._containers[name])
            docker("start", self._containers[name])
        for name in self._services:
            self._wait(name)

    def _wait(self, name: str) -> None:
        def well() -> bool | None:
            return self._state(name, "Health.Status") == "healthy" or None

        wait_for(well, lambda: self._ended(name), what=f"{name} was healthy", deadline_seconds=180)

    def network(self, name: str) -> str:
        """What a network of the file is called here."""
        return f"sluiceway-test-{self._tag}-{name}"

    def inside(self, name: str, *command: str, code: int | None = 0) -> str:
        """What a command prints inside a service's container."""
        return docker("exec", self._containers[name], *command, code=code)

    def published(self, name: str, port: int) -> tuple[str, int]:
        """Where this machine has a container's port."""
        host, _, number = docker("port", self._containers[name], f"{port}/tcp").splitlines()[0].rpartition(":")
        return host, int(number)

    def address(self, name: str, network: str) -> str:
        """A container's address on a network of the file."""
        wanted = f'{{{{(index .NetworkSettings.Networks "{self.network(network)}").IPAddress}}}}'
        return docker("inspect", f"--format={wanted}", self._containers[name])

    def log(self, name: str) -> list[str]:
        """What a service has said."""
        ended = subprocess.run(["docker", "logs", self._containers[name]], capture_output=True, text=True, timeout=60, check=True)
        return [*ended.stdout.splitlines(), *ended.stderr.splitlines()]

    def stop(self, name: str) -> str:
        """A service's exit code after SIGTERM and no more time than the file gives it."""
        seconds = str(self._services[name]["stop_grace_period"]).removesuffix("s")
        docker("stop", f"--time={seconds}", self._containers[name])
        return self._state(name, "ExitCode")

    def start(self, name: str) -> None:
        """Start a stopped service again."""
        docker("start", self._containers[name])

    def down(self) -> None:
        """Take everything away."""
        for container in self._containers.values():
            docker("rm", "--force", "--volumes", container, code=None)
        for name in self._networks:
            docker("network", "rm", self.network(name), code=None)

    def _options(self, service: dict[str, Any]) -> list[str]:
        health = service["healthcheck"]
        found = [f"--user={service['user']}", "--read-only", *(f"--cap-drop={name}" for name in service["cap_drop"])]
        found += [f"--security-opt={option}" for option in service["security_opt"]]
        found += [f"--tmpfs={path}" for path in service.get("tmpfs", [])]
        found += [f"--env={name}={value}" for name, value in service.get("environment", {}).items()]
        for item in service["volumes"]:
            source = self._instead.get(item["source"], self._folder / item["source"]).resolve()
            found.append(f"--volume={source}:{item['target']}:ro" if item["type"] == "bind" else f"--volume={item['target']}")
        found += [f"--publish={port}" for port in service.get("ports", [])]
        found += ["--init"] if service.get("init") else []
        found += [f"--entrypoint={service['entrypoint'][0]}"] if "entrypoint" in service else []
        found += [f"--health-cmd={shlex.join(health['test'][1:])}", f"--health-interval={health['interval']}"]
        return [*found, f"--health-timeout={health['timeout']}", f"--health-start-period={health['start_period']}"]

    def _state(self, name: str, part: str) -> str:
        return docker("inspect", f"--format={{{{.State.{part}}}}}", self._containers[name])

    def _ended(self, name: str) -> int | None:
        return None if self._state(name, "Running") == "true" else int(self._state(name, "ExitCode"))
