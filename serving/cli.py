"""The commands of the serving side and where they live; here: serve, versions, history."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import click

from configs.errors import UsageError
from serving.cli_frame import json_option, print_json, settings_options

COMMANDS = {
    "serve": ("serving.cli:serve", "Serve what is live, and what goes live later."),
    "predict": ("serving.cli_predict:predict", "Ask a served model."),
    "versions": ("serving.cli:versions", "List the published versions of a model."),
    "history": ("serving.cli:history", "Tell what was published and what was refused, and why."),
    "gateway": ("serving.cli_gateway:gateway", "Answer for the model servers: API, images, history, page."),
    "gateway-key": ("serving.cli_gateway:gateway_key", "Make an API key for the gateway."),
    "up": ("serving.cli_gateway:up", "Start model server and gateway together, with the page."),
    "serving-config": ("serving.cli_deploy:serving_config", "Write TF Serving's own configuration files."),
    "deploy": ("serving.cli_deploy:deploy", "Bring the whole stack to containers or a cluster."),
}


def _environment(use_case: str, environment: str, overrides: tuple[str, ...]) -> tuple[str, Any, Path]:
    """(the use case's name, environment's configuration, the store's folder)."""
    from configs.load import load_settings
    from configs.paths import store_folder

    settings = load_settings(use_case, environment, overrides)
    return settings.name, settings.environment, store_folder(settings.environment)


@click.command()
@click.argument("use_case", default="taxi")
@settings_options
@click.option("-v", "--verbose", is_flag=True, help="Show what the libraries print.")
def serve(use_case: str, environment: str, overrides: tuple[str, ...], verbose: bool) -> None:
    """Serve the live version of USE_CASE over REST and gRPC, and follow when a newer one is published. Ctrl-C stops it.

    \b
    Example:
      sluiceway serve taxi --set server.rest_port=9501
    """
    from serving.store import open_store

    asked, (use_case, chosen, path) = use_case, _environment(use_case, environment, overrides)
    published = open_store(chosen.store.kind, str(path)).versions(use_case)
    if not published:
        raise UsageError(f"{use_case} has no published version in {path}; publish one: sluiceway run {asked}")
    if importlib.util.find_spec("tensorflow") is None:
        raise UsageError("serving needs TensorFlow, which is not installed: pip install 'sluiceway[server]'")
    server = chosen.server
    click.echo(f"serving {use_case} v{published[-1].number} and what follows; Ctrl-C stops", err=True)
    click.echo(f"REST  http://{server.host}:{server.rest_port}/v1/models/{use_case}:predict", err=True)
    click.echo(f"gRPC  {server.host}:{server.grpc_port}", err=True)
    flags = [
        f"--model_name={use_case}",
        f"--model_base_path={path / use_case}",
        f"--port={server.grpc_port}",
        f"--rest_api_port={server.rest_port}",
        f"--bind={server.host}",
        f"--file_system_poll_wait_seconds={server.poll_seconds}",
        *(["--verbose"] if verbose else []),
    ]
    # The server takes this process's place: signals, exit code and logs are its own.
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "serving.server", *flags])


@click.command()
@click.argument("use_case")
@settings_options
@json_option
def versions(use_case: str, environment: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """List the published versions of USE_CASE, newest last; the last one is live.

    \b
    Example:
      sluiceway versions taxi
    """
    from serving.store import open_store

    asked, (use_case, chosen, path) = use_case, _environment(use_case, environment, overrides)
    store = open_store(chosen.store.kind, str(path))
    found, damaged = store.versions(use_case), store.damaged(use_case)
    rows: list[dict[str, Any]] = [
        {
            "version": version.number,
            "live": version is found[-1] and not any(number > version.number for number in damaged),
            "published_at": version.manifest.published_at,
            "champion": version.manifest.identity.champion,
            "metrics": dict(version.manifest.identity.metrics),
            "run_id": version.manifest.identity.run_id,
            "digest": version.manifest.digest,
            "path": str(version.path),
        }
        for version in found
    ]
    if as_json:
        print_json({"model": use_case, "versions": rows, "damaged": damaged})
        return
    for number, reason in damaged.items():
        click.echo(f"v{number:<4} damaged: {reason}", err=True)
    if not rows:
        click.echo(f"no version of {use_case} in {path}; publish one: sluiceway run {asked}")
    for row in rows:
        metrics = ", ".join(f"{name} {value:.4f}" for name, value in row["metrics"].items() if name != "example_count")
        click.echo(f"v{row['version']:<4} {row['published_at']}  {'live' if row['live'] else '    '}  {metrics}")


@click.command()
@click.argument("use_case")
@settings_options
@json_option
def history(use_case: str, environment: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """Tell what happened to USE_CASE, oldest first: what was published, what was refused and why.

    \b
    Example:
      sluiceway history taxi
    """
    from serving.store import open_store

    use_case, chosen, path = _environment(use_case, environment, overrides)
    events = open_store(chosen.store.kind, str(path)).history(use_case)
    if as_json:
        print_json({"model": use_case, "events": [vars(event) for event in events]})
        return
    if not events:
        click.echo(f"nothing has happened to {use_case} in {path} yet")
    for event in events:
        if event.kind == "refuse":
            reasons = "; ".join(reason["message"] for reason in event.details.get("reasons", ()))
            click.echo(f"{event.at}  refused by {event.details.get('gate')}: {reasons}")
        else:
            click.echo(f"{event.at}  {event.kind} v{event.version}  ({event.run_id})")
