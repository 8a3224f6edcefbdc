"""The stack of the compose file for real: our images, hardened as the file says, an answer through the gateway and none around it.

The images are built before (.ci/docker build) and named by ``SLUICEWAY_TEST_SERVER_IMAGE`` and ``SLUICEWAY_TEST_GATEWAY_IMAGE``.
Traefik's image is made here, of the same release as the compose file's, which PyPI has.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.launchers.readiness import wait_for
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from tests.e2e.command import sluiceway
from tests.e2e.compose_services import Services, docker
from tests.house.tree import ROOT
from tests.integration.serving.small_model import saved_model

pytestmark = pytest.mark.once  # whatever renders it, it runs in containers
JOBS = ("gateway", "model-server", "traefik")

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
    names = {kind: os.environ.get(f"SLUICEWAY_TEST_{kind.upper()}_IMAGE", "") for kind in ("server", "gateway", "prometheus")}
    if missing := [kind for kind, name in names.items() if not name]:
        pytest.skip(f"SLUICEWAY_TEST_{missing[0].upper()}_IMAGE names no image (.ci/docker build makes it)")
    return names


@pytest.fixture(scope="module")
def traefik(images: dict[str, str]) -> Iterator[str]:
    """An image with a shell, as Docker Hub's is: the health check of the compose file is a command inside."""
    program = Path(sys.executable).with_name("traefik")
    image = f"sluiceway-test-traefik:{uuid.uuid4().hex[:8]}"
    container = docker("create", images["gateway"])
    try:
        docker("cp", str(program), f"{container}:/usr/local/bin/traefik")
        docker("commit", "--change", 'ENTRYPOINT ["traefik"]', container, image)
        yield image
    finally:
        docker("rm", container, code=None)
        docker("image", "rm", image, code=None)


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """Of this machine, for the entry and for the dashboards."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return {"port": one.getsockname()[1], "dashboards_port": other.getsockname()[1]}


@pytest.fixture(scope="module")
def folder(images: dict[str, str], traefik: str, ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with y = 2 x + n as version 1 and y = 4 x + n as version 2, and a stack whose traffic goes to a label of version 1."""
    root = tmp_path_factory.mktemp("stack")
    store = LocalStore(root / "state" / "store")
    for model in ("plain", "doubled"):
        store.publish("m", saved_model(model), Identity("run", "m"))
    compose = json.dumps({"traefik": traefik, "prometheus": images["prometheus"], **ports})
    render(root, images, compose, "{m: {arms: [{label: stable}], shadow: {version: 2, share: 1}}}")
    (root / "compose.json").write_text(compose)
    watch = root / "prometheus"
    shutil.copytree(root / "compose" / "prometheus", watch)
    config = (watch / "prometheus.yaml").read_text()
    # Debian's Prometheus is of version 2, which asks for no such protocol. And here nobody waits 15 s for a look.
    for given, here in (("    fallback_scrape_protocol: PrometheusText0.0.4\n", ""), ("15s\n", "1s\n  evaluation_interval: 1s\n")):
        assert config.count(given) == 1
        config = config.replace(given, here)
    (watch / "prometheus.yaml").write_text(config)
    return root


def render(root: Path, images: dict[str, str], compose: str, gateway: str) -> None:
    given = {
        "deploy.compose": compose,
        "deploy.model_server.image": images["server"],
        "deploy.gateway.image": images["gateway"],
        "deploy.models": "{m: {latest: 2, labels: {stable: 1}}}",
        "gateway.models": gateway,
    }
    overrides = [part for key, value in given.items() for part in ("--set", f"{key}={value}")]
    ended = sluiceway(
        "deploy", "render", "--overlay", "compose", "-o", str(root / "compose"), *overrides, state=root / "state", env="local"
    )
    assert ended.code == 0, ended.err


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[Services]:
    names = ["model-server", "gateway", "traefik", "prometheus"]
    services = Services(folder / "compose", names, {"./prometheus": folder / "prometheus"})
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


@pytest.fixture
def outside(stack: Services) -> Iterator[httpx.Client]:
    """Somebody on this machine, who has only Traefik's port."""
    with outsider(stack) as client:
        yield client


def outsider(stack: Services) -> httpx.Client:
    host, port = stack.published("traefik", 8080)
    return httpx.Client(base_url=f"http://{host}:{port}", timeout=30, trust_env=False)


def test_the_outside_has_the_page_and_the_answers(outside):
    page = outside.get("/")
    assert (page.status_code, page.text[:15]) == (200, "<!doctype html>")
    assert "server" not in page.headers
    assert page.headers["content-security-policy"]
    found = outside.post("/v1/models/m:predict", content=ROW)
    assert (found.status_code, found.headers["x-model-version"]) == (200, "1")
    assert found.json()["predictions"][0]["y"] == 3.0


@pytest.mark.parametrize(
    "path", ["/metrics", "/%6detrics", "//metrics", "/./metrics", "/x/../metrics", "/metrics?x", "/metrics%2f", "/x%2f..%2fmetrics"]
)
def test_the_outside_has_no_metrics(stack, path):
    with socket.create_connection(stack.published("traefik", 8080), timeout=30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] in (b"403", b"400")
    assert b"sluiceway_gateway" not in answer


def test_who_asks_is_who_traefik_saw_and_not_who_they_say(outside, stack):
    name = uuid.uuid4().hex
    outside.get("/models", headers={"x-request-id": name, "x-forwarded-for": "203.0.113.9", "x_forwarded_for": "203.0.113.9"})

    def told() -> str | None:
        return next((json.loads(line)["from"] for line in stack.log("gateway") if name in line), None)

    seen = wait_for(told, lambda: None, what="the request was in the log", deadline_seconds=20)
    assert seen != "203.0.113.9"
    assert seen != stack.address("traefik", "edge")


def test_a_large_body_goes_through_and_a_larger_one_is_refused(outside):
    rows = [{"x": 1.0, "n": 1, "k": "a" * 7000}] * 1000
    assert outside.post("/v1/models/m:predict", json={"instances": rows}).status_code == 200
    assert outside.post("/v1/models/m:predict", json={"instances": rows * 2}).status_code == 413


def query(stack: Services, path: str, **arguments: str) -> list[dict[str, Any]]:
    """What Prometheus says."""
    url = f"http://{stack.address('prometheus', 'dashboards')}:9090/api/v1/{path}"
    answer = httpx.get(url, params=arguments, timeout=10, trust_env=False).json()
    assert answer["status"] == "success", (arguments, answer)
    found: list[dict[str, Any]] = answer["data"].get("result") or answer["data"].get("groups")
    return found


def test_everything_is_scraped(stack):
    def scraped() -> bool | None:
        return {row["metric"]["job"]: row["value"][1] for row in query(stack, "query", query="up")} == dict.fromkeys(JOBS, "1") or None

    wait_for(scraped, lambda: None, what="everything was scraped", deadline_seconds=60)


def test_every_panel_of_the_dashboard_shows_something(stack, outside):
    panels = json.loads((ROOT / "serving/deploy/grafana/dashboards/sluiceway.json").read_text(encoding="utf-8"))["panels"]
    asked = {target["expr"] for panel in panels for target in panel.get("targets", []) if panel["title"] != "Turned away"}
    empty = set(asked)
    assert len(asked) > 10

    def all_shown() -> bool | None:
        assert outside.post("/v1/models/m:predict", content=ROW).status_code == 200
        for expression in sorted(empty):
            if query(stack, "query", query=expression.replace("$model", ".*").replace("$__rate_interval", "20s")):
                empty.discard(expression)
        return not empty or None

    wait_for(all_shown, lambda: None, what="everything showed something", deadline_seconds=60, logs=lambda: f"nothing: {sorted(empty)}")


def states(stack: Services) -> dict[str, str]:
    rules = [rule for group in query(stack, "rules") for rule in group["rules"]]
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}, [rule.get("lastError") for rule in rules]
    return {rule["name"]: rule["state"] for rule in rules}


def test_only_the_alert_of_a_shadow_that_differs_is_on_its_way(stack, outside):
    def on_their_way() -> list[str] | None:
        outside.post("/v1/models/m:predict", content=ROW)
        return [name for name, state in states(stack).items() if state != "inactive"] or None

    assert wait_for(on_their_way, lambda: None, what="an alert was on its way", deadline_seconds=60) == ["ShadowDiffers"]
    assert len(states(stack)) > 5


def test_what_is_under_way_when_traefik_ends_is_answered(stack):
    head = f"POST /v1/models/m:predict HTTP/1.1\r\nHost: here\r\nContent-Length: {len(ROW)}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(stack.published("traefik", 8080), timeout=30) as connection, ThreadPoolExecutor(1) as beside:
        connection.sendall((head + ROW[:10]).encode())
        wait_for(lambda: asked_of(stack) or None, lambda: None, what="Traefik had the request", deadline_seconds=20)
        stopped = beside.submit(stack.stop, "traefik")
        ending = "Stopping server gracefully"
        wait_for(lambda: any(ending in line for line in stack.log("traefik")) or None, lambda: None, what=ending, deadline_seconds=20)
        connection.sendall(ROW[10:].encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert stopped.result() == "0"
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert not [line for line in stack.log("traefik") if '"level":"error"' in line]
    stack.start("traefik")


def asked_of(stack: Services) -> bool:
    """Whether Traefik has a connection under way, by its own count."""
    url = f"http://{stack.address('traefik', 'metrics')}:8083/metrics"
    page = httpx.get(url, timeout=5, trust_env=False).text
    return any(line.startswith("traefik_open_connections{") and '"web"' in line and line.endswith(" 1") for line in page.splitlines())


def test_a_changed_configuration_is_in_force_without_a_restart(stack, images, folder):
    render(folder, images, (folder / "compose.json").read_text(), "{m: {arms: [{version: 2}]}}")

    def changed() -> bool | None:
        return ask(stack, images, "http://gateway:8080/v1/models/m:predict", ROW)["version"] == "2" or None

    wait_for(changed, lambda: None, what="the new share was in force", deadline_seconds=60)


def test_both_end_in_peace_and_the_page_outlives_the_model_server(stack, images):
    assert stack.stop("model-server") == "0"
    assert ask(stack, images, "http://gateway:8080/")["status"] == 200
    assert ask(stack, images, "http://gateway:8080/healthz")["status"] == 200
    assert ask(stack, images, "http://gateway:8080/readyz")["status"] == 503
    assert ask(stack, images, "http://gateway:8080/v1/models/m:predict", ROW)["status"] == 503

    wait_for(
        lambda: states(stack)["ModelServerDown"] == "pending" or None, lambda: None, what="the alert was on its way", deadline_seconds=30
    )
    assert stack.stop("gateway") == "0"
