"""Ways to boot a model server, by name. Importing this imports none of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from configs.errors import UsageError
from serving.errors import LaunchError
from serving.launchers.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from configs.environment import EnvironmentConfig
    from serving.launchers.base import Launcher

LAUNCHERS = {
    "embedded": "serving.launchers.embedded:EmbeddedLauncher",
    "binary": "serving.launchers.binary:BinaryLauncher",
    "docker": "serving.launchers.docker:DockerLauncher",
    "kubernetes": "serving.launchers.kubernetes:KubernetesLauncher",
}


def targets(environment: EnvironmentConfig) -> tuple[Target, ...]:
    """What the environment's launcher boots: one server, or one for each image.

    Raises:
        UsageError: its configuration does not hold together.
    """
    kind, configured = environment.launcher, environment.launchers
    if kind == "embedded":
        return (Target("embedded"),)
    if kind == "binary":
        return (Target("binary", configured.binary.path, tuple(configured.binary.flags)),)
    images = list(dict.fromkeys(configured.docker.images if kind == "docker" else configured.kubernetes.images))
    if not images:
        raise UsageError(f"launchers.{kind}.images: empty; name at least one image of TF Serving")
    if kind == "docker":
        return tuple(Target("docker", image, tuple(configured.docker.flags)) for image in images)
    pods = configured.kubernetes
    if pods.claim is None:
        raise UsageError("launchers.kubernetes.claim: null; name the PersistentVolumeClaim that holds the candidate")
    return tuple(
        Target("kubernetes", image, tuple(pods.flags), pods.namespace, pods.context, pods.claim, pods.mount, pods.service_account)
        for image in images
    )


def open_launcher(target: Target) -> Launcher:
    """The launcher of that target. Raises UsageError for an unknown kind, LaunchError when its library is not installed."""
    if target.kind not in LAUNCHERS:
        raise UsageError(f"unknown launcher {target.kind!r}; allowed: {', '.join(LAUNCHERS)}")
    module, _, attribute = LAUNCHERS[target.kind].partition(":")
    try:
        launcher = cast("Callable[[Target], Launcher]", getattr(import_module(module), attribute))
    except ModuleNotFoundError as error:
        raise LaunchError(f"the {target.kind} launcher needs the Python package {error.name!r}: install 'sluiceway[launchers]'") from error
    return launcher(target)
