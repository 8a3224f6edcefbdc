"""From configuration to targets, from a target to its launcher."""

from __future__ import annotations

import sys

import pytest

from configs.errors import UsageError
from configs.load import load_settings
from serving.errors import LaunchError
from serving.launchers import LAUNCHERS, open_launcher, targets
from serving.launchers.target import Target


def aimed(*changes: str) -> tuple[Target, ...]:
    return targets(load_settings("taxi", overrides=list(changes)).environment)


def test_one_server_is_one_target():
    assert aimed() == (Target("embedded"),)
    assert aimed("launcher=binary", "launchers.binary.path=/opt/server", "launchers.binary.flags=[--enable_batching]") == (
        Target("binary", "/opt/server", ("--enable_batching",)),
    )


def test_every_image_is_a_target_once():
    found = aimed("launcher=docker", "launchers.docker.images=[a:1, b:2, a:1]")
    assert found == (Target("docker", "a:1"), Target("docker", "b:2"))


def test_a_pods_target_says_where():
    change = "launchers.kubernetes={images: [a:1], namespace: ml, context: prod, claim: models, mount: /models, service_account: s}"
    assert aimed("launcher=kubernetes", change) == (Target("kubernetes", "a:1", (), "ml", "prod", "models", "/models", "s"),)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["launcher=docker", "launchers.docker.images=[]"], r"launchers\.docker\.images: empty"),
        (["launcher=kubernetes"], r"launchers\.kubernetes\.claim: null"),
        (["launcher=binary", "launchers.binary.flags=[--port=1]"], r"launchers\.binary\.flags: '--port=1' cannot be given"),
    ],
)
def test_what_does_not_hold_together_is_the_callers_mistake(changes, message):
    with pytest.raises(UsageError, match=message):
        aimed(*changes)


def test_an_unknown_launcher_is_refused():
    with pytest.raises(UsageError, match=f"unknown launcher 'moon'; allowed: {', '.join(LAUNCHERS)}"):
        open_launcher(Target("moon"))


@pytest.mark.parametrize("kind", ["docker", "kubernetes"])
def test_a_library_that_is_not_installed_is_named(monkeypatch, kind):
    for module in [name for name in sys.modules if name.startswith((f"serving.launchers.{kind}", "serving.launchers.cluster"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, kind, None)
    with pytest.raises(LaunchError, match=f"the {kind} launcher needs the Python package '{kind}': install"):
        open_launcher(Target(kind, "image"))
