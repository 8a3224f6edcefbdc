"""A model server and the gateway as two processes that live and die together: what compose does, without Docker.

starting -> both ready -> one ends or somebody asks for the end -> gateway drains -> model server drains -> gone
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml
from msgspec import structs, to_builtins

from configs.environment import EnvironmentConfig
from configs.errors import SluicewayError, UsageError
from configs.gateway import GatewayConfig, Upstream
from configs.load import beside
from serving.deployment.models import choose
from serving.deployment.server_files import models_config
from serving.deployment.stack import published
from serving.launchers.child import child_environment
from serving.server.orphan import MARKER
from serving.server.signals import end_on_signals
from serving.stack_log import ChildLog

_START_SECONDS = 120.0
_LOOK_SECONDS = 0.2
_STORE_SECONDS = 2.0


def gateway_config(chosen: EnvironmentConfig, store: Path) -> GatewayConfig:
    """The environment's gateway; where it names no store and no server of its own, the environment's."""
    config = chosen.gateway
    if config.store is None and store.is_dir():
        config = structs.replace(config, store=str(store))
    if config.upstreams == GatewayConfig().upstreams:
        config = structs.replace(config, upstreams={"default": Upstream(grpc=_dialled(chosen.server.host, chosen.server.grpc_port))})
    return config


def _dialled(host: str, port: int) -> str:
    """Where a server that listens on a host is asked: one that listens everywhere, on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Stack:
    """Both processes."""

    def __init__(
        self, chosen: EnvironmentConfig, store: Path, models: Sequence[str] | None, *, verbose: bool, say: Callable[[str], None]
    ) -> None:
        """
        Args:
            models: those to serve; None: every model of the store.

        Raises:
            UsageError: nothing is published.
        """
        self._chosen, self._store, self._verbose, self._say = chosen, store, verbose, say
        self._named, self._told = list(models or ()), ""
        there = {name: numbers for name, numbers in published(chosen).items() if numbers}
        missing = sorted(set(models or ()) - set(there))
        if missing or not there:
            what = f"{missing[0]} has no published version" if missing else "nothing is published"
            raise UsageError(f"{what} in {store}; publish one: sluiceway run {missing[0] if missing else 'taxi'}")
        choice = choose(list(models or sorted(there)), chosen.deploy.models, there)
        self._served = choice.models
        for note in choice.notes:
            say(note)
        self._children: list[tuple[str, subprocess.Popen[bytes], ChildLog]] = []

    def run(self) -> None:
        """Start, say where, wait for the end, stop.

        Raises:
            UsageError: a port is taken.
            SluicewayError: one of them did not start, or ended by itself.
        """
        self._check()
        stop = threading.Event()
        end_on_signals(stop)
        with contextlib.ExitStack() as folders:
            try:
                of_server, of_gateway = _launch_folder(folders), _launch_folder(folders)
                models_file = of_server / "models.config"
                self._start(of_server, of_gateway, stop)
                self._wait(stop, models_file)
            finally:
                self._end()
        self._say("stopped")

    def _check(self) -> None:
        """What would end one of them, before a model is loaded for nothing. Raises UsageError."""
        from serving.gateway.access import Access
        from serving.gateway.follow import ENVIRONMENT, keys_stand_in
        from serving.gateway.state import check

        server, gateway = self._chosen.server, self._chosen.gateway
        taken: dict[int, str] = {}
        for key, host, port in (
            ("server.grpc_port", server.host, server.grpc_port),
            ("server.rest_port", server.host, server.rest_port),
            ("gateway.port", gateway.host, gateway.port),
        ):
            if port and port in taken:
                raise UsageError(f"{key}: {port} is {taken[port]}, too; give another")
            taken[port] = key
            _check_free(key, host, port)
        with keys_stand_in(ENVIRONMENT):
            check(gateway)
            Access(gateway)
        if gateway.upstreams.keys() == {"default"} and gateway.upstreams != GatewayConfig().upstreams:
            self._say("gateway.upstreams.default: not asked, for this starts a model server of its own; to ask that one: sluiceway gateway")

    def _start(self, of_server: Path, of_gateway: Path, stop: threading.Event) -> None:
        server = self._chosen.server
        self._say(f"model server: {', '.join(model.name for model in self._served)} ...")
        (of_server / "models.config").write_text(models_config(self._served, str(self._store)), encoding="utf-8")
        ports = self._launch(
            "model server",
            [
                *("-m", "serving.server", f"--model_config_file={of_server / 'models.config'}"),
                *(f"--port={server.grpc_port}", f"--rest_api_port={server.rest_port}", f"--bind={server.host}"),
                f"--file_system_poll_wait_seconds={server.poll_seconds}",
                f"--model_config_file_poll_wait_seconds={_STORE_SECONDS:g}",
                *(f"--ports_file={of_server / 'ports.json'}", f"--parent_pid={os.getpid()}", f"--remove_on_exit={of_server}"),
                *(["--verbose"] if self._verbose else []),
            ],
            child_environment(),
            of_server / "ports.json",
            stop,
        )
        if stop.is_set():
            return
        config = gateway_config(self._chosen, self._store)
        if config.upstreams.keys() == {"default"}:
            config = structs.replace(config, upstreams={"default": Upstream(grpc=_dialled(server.host, ports["grpc"]))})
        # Beside that file there are none of those that an environment names, which are looked for from here.
        config = beside(config, Path.cwd())
        file = of_gateway / "gateway.yaml"
        file.write_text(yaml.safe_dump(to_builtins(config)), encoding="utf-8")
        taken = self._launch(
            "gateway",
            [
                *("-m", "serving.gateway", f"--config={file}", f"--ports-file={of_gateway / 'ports.json'}"),
                *(f"--parent-pid={os.getpid()}", f"--remove-on-exit={of_gateway}"),
            ],
            # It may need a variable that its configuration names for its keys; the model server needs none of ours.
            {**os.environ, **child_environment()},
            of_gateway / "ports.json",
            stop,
        )
        if stop.is_set():
            return
        host = "localhost" if config.host in ("127.0.0.1", "0.0.0.0", "::") else config.host
        self._say(f"page   http://{host}:{taken['http']}/")
        self._say(f"REST   http://{host}:{taken['http']}/v1/models/{self._served[0].name}:predict")
        self._say(f"gRPC   {_dialled(server.host, ports['grpc'])}   (the model server itself)")
        self._say("Ctrl-C stops")

    def _launch(
        self, name: str, arguments: list[str], environment: Mapping[str, str], ports_file: Path, stop: threading.Event
    ) -> dict[str, int]:
        log = ChildLog()
        child = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=None if self._verbose else log.file,
            stderr=None if self._verbose else subprocess.STDOUT,
            env=environment,
            # Ctrl-C on the terminal is for us: the gateway must drain before its server goes.
            start_new_session=True,
        )
        self._children.append((name, child, log))
        until = time.monotonic() + _START_SECONDS
        while not stop.is_set():
            if ports_file.is_file():
                found: dict[str, int] = json.loads(ports_file.read_text(encoding="utf-8"))
                return found
            self._check_alive()
            if time.monotonic() > until:
                raise SluicewayError(f"the {name} did not start within {_START_SECONDS:.0f} s: {log.tail()}")
            stop.wait(_LOOK_SECONDS)
        return {}

    def _wait(self, stop: threading.Event, models_file: Path) -> None:
        looked = time.monotonic()
        while not stop.is_set():
            self._check_alive()
            for name, _, log in self._children:
                for news in log.news():
                    self._say(f"{name}: {news}")
            if not self._named and time.monotonic() - looked >= _STORE_SECONDS:
                self._take_on(models_file)
                looked = time.monotonic()
            stop.wait(_LOOK_SECONDS)

    def _take_on(self, models_file: Path) -> None:
        """Have the model server follow what is published for the first time."""
        known = {model.name for model in self._served}
        try:
            there = {name: numbers for name, numbers in published(self._chosen).items() if numbers}
            if not there.keys() - known:
                return
            choice = choose(sorted(there.keys() | known), self._chosen.deploy.models, there, unseen=True)
        except SluicewayError as error:
            if str(error) != self._told:
                self._say(f"the store's models are not followed now: {error}")
            self._told = str(error)
            return
        self._served = choice.models
        new = models_file.with_suffix(".new")
        new.write_text(models_config(self._served, str(self._store)), encoding="utf-8")
        new.replace(models_file)
        self._say(f"model server: {', '.join(sorted(there.keys() - known))}, too ...")

    def _check_alive(self) -> None:
        for name, child, log in self._children:
            code = child.poll()
            if code is not None and code < 0:
                raise SluicewayError(f"the {name} was ended by signal {-code} ({signal.strsignal(-code)}), so both are stopped")
            if code is not None:
                kind = UsageError if code == UsageError.exit_code else SluicewayError
                raise kind(f"the {name} ended with code {code}: {log.tail()}")

    def _end(self) -> None:
        """The gateway first, so that what it has taken on is still answered."""
        for _, child, log in reversed(self._children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
            try:
                child.wait(self._chosen.gateway.limits.drain_seconds + 10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            log.close()


def _launch_folder(folders: contextlib.ExitStack) -> Path:
    """A folder of one child, which it deletes itself should this process be killed."""
    folder = Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="sluiceway-up-", ignore_cleanup_errors=True)))
    (folder / MARKER).touch()
    return folder


def _check_free(key: str, host: str, port: int) -> None:
    """Before a model is loaded for nothing. Raises UsageError."""
    if port == 0:
        return
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise UsageError(f"{key}: {host}:{port} is taken; stop who has it, or give another: --set {key}={port + 1}") from error
        raise UsageError(f"{key}: {host}:{port} cannot be listened on: {getattr(error, 'strerror', None) or error}") from error
