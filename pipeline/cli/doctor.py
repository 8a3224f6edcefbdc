"""``sluiceway doctor``: what this machine has and what it lacks, one line each."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata, util

import click

from configs.errors import ExitCode
from configs.paths import state_folder
from configs.schema import Settings
from serving.cli_frame import json_option, print_json, settings_options

_FREE_GIB = 2.0
_MARKS = {True: click.style("ok  ", fg="green"), False: click.style("MISS", fg="red", bold=True), None: click.style("?   ", fg="yellow")}


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``advice`` is what to do where it is not ``ok``; None means that it could not be looked at."""

    name: str
    ok: bool | None
    found: str
    advice: str = ""


@click.command()
@settings_options
@click.option("--on", "place", type=click.Choice(["local", "kubeflow"]), default="local", show_default=True, help="What to look at.")
@click.option("--host", metavar="URL", help="With --on kubeflow: address of the KFP API.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, environment: str, overrides: tuple[str, ...], place: str, host: str | None, as_json: bool) -> int:
    """Look at the interpreter, the installed packages, the disk, the ports and the store; or at a Kubeflow installation.

    \b
    Example:
      sluiceway doctor --env smoke
      sluiceway doctor --on kubeflow --host http://localhost:8888
    """
    from configs.load import load_settings, names

    if place == "kubeflow" and ctx.get_parameter_source("environment") is click.core.ParameterSource.DEFAULT:
        environment = "kubeflow"
    given = [*overrides, *([f"kubeflow.host={host}"] if host else [])]
    settings = load_settings(names("use_cases")[0], environment, given)
    findings = _look(settings, place)
    healthy = all(finding.ok is not False for finding in findings)
    if as_json:
        print_json({"ok": healthy, "findings": [vars(finding) for finding in findings]})
    else:
        for finding in findings:
            click.echo(f"{_MARKS[finding.ok]} {finding.name:<11} {finding.found}{f' -> {finding.advice}' if finding.ok is False else ''}")
    return int(ExitCode.DONE if healthy else ExitCode.FAILURE)


def _look(settings: Settings, place: str) -> list[Finding]:
    if place == "kubeflow":
        from pipeline.cli.doctor_kubeflow import findings

        return [_python(settings), *findings(settings)]
    checks: list[Callable[[Settings], Finding]] = [_python, _pipeline, _server, _state, _disk, _rest_port, _grpc_port]
    return [check(settings) for check in checks]


def _python(_: Settings) -> Finding:
    version = platform.python_version()
    fits = (3, 10) <= sys.version_info[:2] <= (3, 13)
    return Finding("python", fits, f"{version} on {platform.platform(terse=True)}", "use Python 3.10 to 3.13")


def _pipeline(_: Settings) -> Finding:
    return packages("pipeline", ("tfx", "tensorflow", "tensorflow-transform", "keras-tuner"), "pip install 'sluiceway[pipeline]'")


def _server(_: Settings) -> Finding:
    return packages("server", ("tensorflow", "grpcio", "uvicorn", "psutil"), "pip install 'sluiceway[server]'")


def packages(name: str, wanted: tuple[str, ...], advice: str) -> Finding:
    """Whether these are installed, and which versions."""
    found, missing = [], []
    for package in wanted:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    if not missing and name == "pipeline" and util.find_spec("dill") is None:
        missing.append("dill")
    return Finding(name, not missing, ", ".join(found) if not missing else f"not installed: {', '.join(missing)}", advice)


def _state(settings: Settings) -> Finding:
    path = state_folder(settings.environment)
    there = next(parent for parent in [path, *path.parents] if parent.exists())
    return Finding(
        "state",
        there.is_dir() and os.access(there, os.W_OK),
        str(path),
        f"{there} cannot be written as a folder; use another folder (--set state=...)",
    )


def _disk(settings: Settings) -> Finding:
    path = state_folder(settings.environment)
    there = next(parent for parent in [path, *path.parents] if parent.exists())
    free = shutil.disk_usage(there).free / 2**30
    return Finding("disk", free >= _FREE_GIB, f"{free:.1f} GiB free", f"free some: a run wants {_FREE_GIB:g} GiB")


def _rest_port(settings: Settings) -> Finding:
    return _port("REST port", settings.environment.server.host, settings.environment.server.rest_port, "server.rest_port")


def _grpc_port(settings: Settings) -> Finding:
    return _port("gRPC port", settings.environment.server.host, settings.environment.server.grpc_port, "server.grpc_port")


def _port(name: str, host: str, port: int, key: str) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return Finding(
                name, False, f"{host}:{port} {error.strerror}", f"a server runs there already, or choose another (--set {key}=...)"
            )
    return Finding(name, True, f"{host}:{port} is free")
