"""The stack of the compose file for real: our images, hardened as the file says, an answer through the gateway and none around it.

The images are built before (.ci/docker build) and named by ``SLUICEWAY_TEST_SERVER_IMAGE`` and ``SLUICEWAY_TEST_GATEWAY_IMAGE``.
Traefik cannot be had without a registry: tests/house/test_compose.py holds its routes against the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.launchers.readiness import wait_for
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from tests.e2e.command import sluiceway
from tests.e2e.compose_services import Services, docker
from tests.integration.serving.small_model import saved_model

# Asked from where Traefik stands: on the network "edge", by the gateway's name.
ASK = """
import json, sys, urllib.error, urllib.request as web
url, body = sys.argv[1], sys.argv[2].encode() or None
try:
    answer = web.urlopen(web.Request(url, data=body, headers={"content-type": "application/json"}), timeout=20)
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    print(json.dumps({"status": 0, "body": str(error)}))
    sys.exit()
print(json.dumps({"status": answer.status, "version": answer.headers.get("x-model-version"), "body": answer.read().decode()}))
"""
ROW = json.dumps({"instances": [{"x": 1.0, "n": 1, "k": "a"}]})


@pytest.fixture(scope="module")
def images() -> dict[str, str]:
    names = {kind: os.environ.get(f"SLUICEWAY_TEST_{kind.upper()}_IMAGE", "") for kind in ("server", "gateway")}
    if missing := [kind for kind, name in names.items() if not name]:
        pytest.skip(f"SLUICEWAY_TEST_{missing[0].upper()}_IMAGE names no image (.ci/docker build makes it)")
    return names


@pytest.fixture(scope="module")
def folder(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with y = 2 x + n as version 1 and y = 4 x + n as version 2, and a stack whose traffic goes to a label of version 1."""
    root = tmp_path_factory.mktemp("stack")
    store = LocalStore(root / "state" / "store")
    for model in ("plain", "doubled"):
        store.publish("m", saved_model(model), Identity("run", "m"))
    render(root, images, "{m: {latest: 2, labels: {stable: 1}}}", "{m: {arms: [{label: stable}]}}")
    return root


def render(root: Path, images: dict[str, str], models: str, gateway: str) -> None:
    given = {
        "deploy.model_server.image": images["server"],
        "deploy.gateway.image": images["gateway"],
        "deploy.models": models,
        "gateway.models": gateway,
    }
    overrides = [part for key, value in given.items() for part in ("--set", f"{key}={value}")]
    ended = sluiceway(
        "deploy", "render", "--overlay", "compose", "-o", str(root / "compose"), *overrides, state=root / "state", env="local"
    )
    assert ended.code == 0, ended.err


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[Services]:
    services = Services(folder / "compose", ["model-server", "gateway"])
    try:
        services.up()
        yield services
    finally:
        services.down()


def ask(stack: Services, images: dict[str, str], url: str, body: str = "", network: str = "edge"):
    """What a program on one of the networks gets."""
    options = ["run", "--rm", f"--network={stack.network(network)}", "--entrypoint=python", images["gateway"]]
    return json.loads(docker(*options, "-c", ASK, url, body))


def test_a_row_goes_in_and_the_answer_says_which_version_gave_it(stack, images):
    found = ask(stack, images, "http://gateway:8080/v1/models/m:predict", ROW)
    assert (found["status"], found["version"]) == (200, "1")
    assert json.loads(found["body"])["predictions"][0]["y"] == 3.0


def test_the_page_and_the_history_are_there(stack, images):
    assert ask(stack, images, "http://gateway:8080/")["body"].startswith("<!doctype html>")
    history = json.loads(ask(stack, images, "http://gateway:8080/models/m/history")["body"])
    assert len(history["events"]) == 2


def test_there_is_no_way_around_the_gateway(stack, images):
    assert ask(stack, images, "http://model-server:8501/v1/models/m")["status"] == 0
    assert ask(stack, images, "http://model-server:8501/v1/models/m", network="models")["status"] == 200


@pytest.mark.parametrize("name", ["gateway", "model-server"])
def test_a_container_is_nobody_and_may_nothing(stack, name):
    assert "0" not in stack.inside(name, "id", "-u").split()
    status = stack.inside(name, "cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    for place in ("/here", "/models/here"):
        stack.inside(name, "touch", place, code=1)


def test_a_changed_configuration_is_in_force_without_a_restart(stack, images, folder):
    render(folder, images, "{m: {latest: 2, labels: {stable: 1}}}", "{m: {arms: [{version: 2}]}}")

    def changed() -> bool | None:
        return ask(stack, images, "http://gateway:8080/v1/models/m:predict", ROW)["version"] == "2" or None

    wait_for(changed, lambda: None, what="the new share was in force", deadline_seconds=60)


def test_both_end_in_peace_and_the_page_outlives_the_model_server(stack, images):
    assert stack.stop("model-server") == "0"
    assert ask(stack, images, "http://gateway:8080/")["status"] == 200
    assert ask(stack, images, "http://gateway:8080/healthz")["status"] == 200
    assert ask(stack, images, "http://gateway:8080/readyz")["status"] == 503
    assert ask(stack, images, "http://gateway:8080/v1/models/m:predict", ROW)["status"] == 503
    assert stack.stop("gateway") == "0"
