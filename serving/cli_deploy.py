"""The commands that bring a stack elsewhere: serving-config, deploy render, apply and status."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from configs.errors import SluicewayError, UsageError
from serving.cli_frame import json_option, print_json, settings_options

if TYPE_CHECKING:
    from configs.environment import EnvironmentConfig
    from serving.deployment.stack import Stack
    from serving.deployment.status import Pod

# Said here as well, so that --help needs none of what renders; tests hold both together.
OVERLAYS = ("local", "production", "compose")
CLUSTER_OVERLAYS = ("local", "production")

_unseen = click.option("--unseen", is_flag=True, help="Take models that this machine's store does not have: the servers' store has them.")
_force = click.option("--force", is_flag=True, help="Also replace files that were not written by this command, or changed since.")
_context = click.option("--context", metavar="NAME", help="A context of the kubeconfig; without it, the current one.")


def _environment(name: str, overrides: tuple[str, ...]) -> EnvironmentConfig:
    from configs.load import load_settings, names

    # An environment is the same for every use case.
    return load_settings(names("use_cases")[0], name, overrides).environment


@click.command("serving-config")
@click.argument("use_cases", nargs=-1, metavar="[USE_CASE]...")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to write to.")
@click.option("--base-path", metavar="PATH", help="Where the server finds the store; without it, where it is here. In containers: /models.")
@_unseen
@_force
@settings_options
@json_option
def serving_config(
    use_cases: tuple[str, ...],
    output: Path,
    base_path: str | None,
    unseen: bool,
    force: bool,
    environment: str,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write TF Serving's own files for USE_CASE, or for all that is published: models.config, batching.config, monitoring.config.

    With deploy.tls set, ssl.config too, which holds the key and which only you may read.

    \b
    Example:
      sluiceway serving-config taxi leaves -o serving --set deploy.models.taxi.latest=2
    """
    from serving.deployment.folder import write
    from serving.deployment.server_files import server_flags
    from serving.deployment.stack import server_stack

    if base_path is not None and not base_path.startswith("/") and "://" not in base_path:
        raise UsageError(f"--base-path {base_path}: TF Serving takes an absolute path, or a bucket like gs://models/store")
    chosen = _environment(environment, overrides)
    stack = server_stack(chosen, use_cases, base_path=base_path, unseen=unseen)
    changed = write(output, stack.files, force=force)
    flags = ["--port=8500", "--rest_api_port=8501", *server_flags(str(output.resolve()), tls=chosen.deploy.tls is not None)]
    _told(stack, output, changed, as_json, flags=flags)
    if not as_json:
        click.echo(f"next tensorflow_model_server {' '.join(flags)}", err=True)


@click.group()
def deploy() -> None:
    """The whole stack elsewhere: gateway and page in front, model servers behind.

    \b
    Example:
      sluiceway deploy render --overlay compose -o state/compose
      sluiceway deploy apply --overlay production --set deploy.entrance.host=models.example.com
      sluiceway deploy status
    """


@deploy.command(short_help="Write the stack as a folder.")
@click.argument("use_cases", nargs=-1, metavar="[USE_CASE]...")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The folder to write to; without it, state/deploy/OVERLAY.")
@click.option("--overlay", type=click.Choice(OVERLAYS), default="local", show_default=True, help="For what.")
@_unseen
@_force
@settings_options
@json_option
def render(
    use_cases: tuple[str, ...],
    output: Path | None,
    overlay: str,
    unseen: bool,
    force: bool,
    environment: str,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the stack of USE_CASE, or of all that is published, as a folder for kubectl apply -k or docker compose up.

    \b
    Example:
      sluiceway deploy render taxi leaves --overlay production -o manifests --set deploy.entrance.host=models.example.com
    """
    from configs.paths import state_folder
    from serving.deployment import composed, stack
    from serving.deployment.folder import write

    chosen = _environment(environment, overrides)
    rendered = stack.render(chosen, use_cases, overlay, unseen=unseen)
    folder = output or state_folder(chosen) / "deploy" / overlay
    changed = write(folder, rendered.files, force=force, owner=composed.container_user())
    _told(rendered, folder, changed, as_json, overlay=overlay)
    if not as_json:
        ways = {"compose": f"docker compose -f {folder}/compose.yaml up --detach --wait"}
        click.echo(f"next {ways.get(overlay, f'kubectl apply --server-side --field-manager=sluiceway -k {folder}')}", err=True)


@deploy.command(short_help="Show what would change on a cluster, and change it.")
@click.argument("use_cases", nargs=-1, metavar="[USE_CASE]...")
@click.option("--overlay", type=click.Choice(CLUSTER_OVERLAYS), default="local", show_default=True, help="For what.")
@click.option(
    "--from", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="A folder that render wrote, as it is."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_unseen
@_context
@settings_options
@json_option
def apply(
    use_cases: tuple[str, ...],
    overlay: str,
    folder: Path | None,
    yes: bool,
    unseen: bool,
    context: str | None,
    environment: str,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Bring the stack to a cluster: show what would change, ask, and change it.

    \b
    Example:
      sluiceway deploy apply --overlay production --set deploy.entrance.host=models.example.com --yes
    """
    from serving.deployment import stack
    from serving.deployment.folder import write
    from serving.deployment.kubectl import Kubectl
    from serving.deployment.kustomization import namespace_of

    chosen = _environment(environment, overrides)
    if not yes and (as_json or not sys.stdin.isatty()):
        raise UsageError("nobody is there to ask: --yes applies without asking, deploy render shows what would be applied")
    namespace = chosen.deploy.namespace
    if folder is not None:
        given = click.get_current_context().get_parameter_source("overlay")
        if use_cases or unseen or given is not ParameterSource.DEFAULT:
            raise UsageError(f"--from {folder}: it is applied as it is; models, --overlay and --unseen are for render")
        namespace = namespace_of(folder)
    cluster = Kubectl(namespace, context)
    with tempfile.TemporaryDirectory(prefix="sluiceway-deploy-") as scratch:
        if folder is None:
            rendered = stack.render(chosen, use_cases, overlay, unseen=unseen)
            write(Path(scratch) / overlay, rendered.files)
            for note in rendered.notes:
                click.echo(f"note {note}", err=True)
        target = str(folder or Path(scratch) / overlay)
        cluster.check_namespace()
        where, difference = cluster.context(), cluster.diff(target)
        click.echo(difference, err=as_json, nl=False)
        if difference and not yes and not click.confirm(f"Apply this to {where}, namespace {cluster.namespace}?", err=True):
            raise UsageError("nothing was applied")
        applied = cluster.apply(target) if difference else []
    if as_json:
        print_json({"context": where, "namespace": cluster.namespace, "diff": difference, "applied": applied})
        return
    click.echo("\n".join(applied) if applied else f"nothing to change: {where}, namespace {cluster.namespace}")
    click.echo("next sluiceway deploy status", err=True)


@deploy.command(short_help="Tell how it is there: rollouts, pods, answers.")
@_context
@settings_options
@json_option
def status(context: str | None, environment: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """Tell how the stack on a cluster is: rollouts, pods, and what each answers. Exit code 1 when something is amiss.

    \b
    Example:
      sluiceway deploy status --env kubeflow
    """
    from serving.deployment import status as states
    from serving.deployment.kubectl import Kubectl

    chosen = _environment(environment, overrides)
    cluster = Kubectl(chosen.deploy.namespace, context)
    document = cluster.get(states.KINDS, states.SELECTOR)
    deployments = states.rollouts(document)
    if not deployments:
        raise UsageError(f"nothing of ours is in namespace {cluster.namespace} of {cluster.context()}: sluiceway deploy apply")
    members = [_asked(cluster, pod) for pod in states.pods(document)]
    well = states.healthy(deployments, members)
    if as_json:
        rolled = [{**asdict(rollout), "done": rollout.done} for rollout in deployments]
        print_json({"namespace": cluster.namespace, "well": well, "rollouts": rolled, "pods": [asdict(pod) for pod in members]})
    else:
        for rollout in deployments:
            mark = "done" if rollout.done else "under way"
            click.echo(
                f"{rollout.name:<14} {rollout.available} of {rollout.wanted} available, {rollout.updated} new  {mark}  {rollout.image}"
            )
        for pod in members:
            click.echo(f"  {pod.name}  {'ready' if pod.ready else pod.trouble or 'not ready'}  {pod.restarts} restarts")
            for name, said in pod.answers.items():
                click.echo(f"    {name}: {said}")
    if not well:
        raise click.exceptions.Exit(1)


def _asked(cluster: Any, pod: Pod) -> Pod:
    """The pod, with what it says of itself; one that does not run is not asked."""
    from serving.deployment import status as states

    if pod.trouble:
        return pod
    try:
        if pod.component == "gateway":
            return replace(pod, answers={"gateway": states.gateway_says(cluster.execute(pod.name, "gateway", states.ASK_GATEWAY))})
        return replace(pod, answers=states.model_states(cluster.execute(pod.name, "model-server", states.ASK_SERVER)))
    except SluicewayError as error:
        return replace(pod, answers={pod.component: f"not asked: {error}"})


def _told(stack: Stack, folder: Path, changed: list[str], as_json: bool, **more: Any) -> None:
    """What was written, for a person or a program."""
    models = [asdict(model) for model in stack.choice.models]
    if as_json:
        print_json(
            {"folder": str(folder), "files": sorted(stack.files), "changed": changed, "models": models, "notes": stack.notes, **more}
        )
        return
    for note in stack.notes:
        click.echo(f"note {note}", err=True)
    names = ", ".join(model["name"] for model in models)
    click.echo(f"{folder}: {len(stack.files)} files for {names}; {len(changed)} changed")
