"""``gateway``, ``gateway-key`` and ``up``: the front of the model servers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configs.errors import UsageError
from serving.cli_frame import json_option, print_json, settings_options

if TYPE_CHECKING:
    from configs.gateway import GatewayConfig

# The name of a key: it becomes a line of YAML, a label in the log, and a user's place among the arms.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,62}")


@click.command()
@settings_options
@click.option("--config", "file", type=click.Path(path_type=Path), help="A file with these keys alone; its changes are followed.")
def gateway(environment: str, overrides: tuple[str, ...], file: Path | None) -> None:
    """Answer for the model servers: REST, images, models, history and the page. Ctrl-C stops it.

    Its configuration is the environment's section ``gateway``, or a file with the same keys.

    \b
    Example:
      sluiceway gateway --set gateway.port=9080
      sluiceway gateway --config gateway.yaml
    """
    from serving.gateway.__main__ import run
    from serving.gateway.follow import ConfigFile

    if file is not None:
        if overrides:
            raise UsageError(f"--set {overrides[0]} and --config are both given; write it into {file}")
        followed = ConfigFile(file)
        run(followed.config, followed)
        return
    config, store = configured(environment, overrides)
    run(config, store=store)


@click.command("gateway-key")
@click.argument("name")
@json_option
def gateway_key(name: str, as_json: bool) -> None:
    """Make an API key for NAME: the key to hand out, and the line for the gateway's file of keys.

    The key is shown once and kept nowhere.

    \b
    Example:
      sluiceway gateway-key reports
    """
    import yaml

    from serving.gateway.access import new_key

    if not _NAME.fullmatch(name) or yaml.safe_load(name) != name:
        raise UsageError(
            f"{name!r}: use letters, digits, '.', '_' and '-', starting with a letter, and no word like yes that YAML reads otherwise"
        )
    key, digest = new_key()
    if as_json:
        print_json({"name": name, "key": key, "digest": digest})
        return
    click.echo(f"key to hand out, shown once:  {key}", err=True)
    click.echo(f"{name}: {digest}")
    click.echo("next: add the line to the file that gateway.keys.file names", err=True)


@click.command()
@click.argument("use_cases", nargs=-1)
@settings_options
@click.option("-v", "--verbose", is_flag=True, help="Show what the model server and the gateway print.")
def up(use_cases: tuple[str, ...], environment: str, overrides: tuple[str, ...], verbose: bool) -> None:
    """Start a model server on what is published, and the gateway with its page. Ctrl-C stops both.

    Without USE_CASES it serves every model of the version store.

    \b
    Example:
      sluiceway up
      sluiceway up leaves taxi --set gateway.port=9080
    """
    from msgspec.structs import replace

    from configs.load import load_settings, names
    from configs.paths import store_folder
    from serving.stack import Stack

    settings = [load_settings(use_case, environment, overrides) for use_case in use_cases or names("use_cases")[:1]]
    chosen = settings[0].environment
    chosen = replace(chosen, gateway=with_examples(chosen.gateway))
    models = [found.name for found in settings] if use_cases else None
    Stack(chosen, store_folder(chosen), models, verbose=verbose, say=lambda text: click.echo(text, err=True)).run()


def configured(environment: str, overrides: tuple[str, ...]) -> tuple[GatewayConfig, Path]:
    """The environment's gateway, with the environment's own server where it names none; and the folder of the environment's own store."""
    from configs.load import load_settings, names
    from configs.paths import store_folder
    from serving.stack import gateway_config

    chosen = load_settings(names("use_cases")[0], environment, overrides).environment
    store = store_folder(chosen)
    return gateway_config(chosen, store), store


def with_examples(config: GatewayConfig) -> GatewayConfig:
    """As `up` takes it: who can ask sits at this machine, and may see rows of data unless the configuration says otherwise."""
    from msgspec.structs import replace

    from serving.clients.base import is_loopback

    return replace(config, examples=is_loopback(f"{config.host}:0")) if config.examples is None else config
