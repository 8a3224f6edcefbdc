"""The Kubernetes manifests hold together: with themselves, with the configuration that is in them, and with the programs they start."""

from __future__ import annotations

import copy
import functools
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from msgspec.structs import fields

from configs.deployment import TF_SERVING, DeployConfig
from configs.environment import EnvironmentConfig
from configs.gateway import GatewayConfig
from configs.load import load_gateway
from serving.deployment import kustomization, stack
from serving.server.flag_table import UPSTREAM
from serving.server.schemas import batching, model_configs, monitoring
from tests.conftest import NOT_HERE
from tests.house.manifests import called, container_of, files_in, loose_ends, named, of_kind, pod_of, too_free
from tests.house.test_readme import make_targets, shown_commands
from tests.house.tree import ROOT

KUBERNETES = ROOT / "serving" / "deploy" / "kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())
# Kinds of others' operators, which Kubernetes' own schemas do not know.
FOREIGN = {"IngressRoute", "Middleware", "ServersTransport", "ServiceMonitor"}
VERSIONS = ("1.29", "1.33")
DNS_SECONDS = 30  # how long a cluster's resolver may remember a pod: CoreDNS' default


@functools.cache
def _text(folder: Path) -> str:
    if shutil.which("kubectl") is None:
        # Debian 12's own is too old for kustomize's components; where newer ones are packaged, this is a failure in CI.
        pytest.skip(f"{NOT_HERE if sys.version_info < (3, 11) else ''}no kubectl builds the manifests (Debian 13: kubernetes-client)")
    built = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    assert built.returncode == 0, built.stderr
    return built.stdout


def build(folder: Path) -> list[dict[str, Any]]:
    """The objects of a kustomization."""
    return list(yaml.safe_load_all(_text(folder)))


@pytest.fixture(params=OVERLAYS)
def documents(request) -> list[dict[str, Any]]:
    return build(KUBERNETES / "overlays" / request.param)


@pytest.fixture
def production() -> list[dict[str, Any]]:
    return build(KUBERNETES / "overlays" / "production")


def test_there_are_the_overlays_that_can_be_rendered():
    assert tuple(OVERLAYS) == kustomization.OVERLAYS


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(documents, version):
    for document in documents:
        if document["kind"] not in FOREIGN:
            kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("name", sorted(path.name for path in (KUBERNETES / "components").iterdir()))
def test_every_component_builds(tmp_path, name):
    shutil.copytree(KUBERNETES, tmp_path / "k")
    # An autoscaler and a route are patched by nobody here: alone they must stand too.
    (tmp_path / "k" / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["base"], "components": [f"components/{name}"]}))
    assert loose_ends(build(tmp_path / "k")) == []


def test_nothing_points_to_what_is_not_there(documents):
    assert loose_ends(documents) == []


def test_no_pod_is_freer_than_it_must_be(documents):
    assert too_free(documents) == []


def test_every_object_is_ours_by_its_label(documents):
    assert [called(item) for item in documents if item["metadata"].get("labels", {}).get("app.kubernetes.io/part-of") != "sluiceway"] == []
    assert {item["metadata"]["namespace"] for item in documents} == {DeployConfig().namespace}


def test_production_is_never_less_than_three(production):
    assert {item["metadata"]["name"]: item["spec"]["minReplicas"] for item in of_kind(production, "HorizontalPodAutoscaler")} == {
        "gateway": 3,
        "model-server": 3,
    }


def test_images_are_those_of_the_configuration(documents):
    images = {item["metadata"]["name"]: container_of(item)["image"] for item in of_kind(documents, "Deployment")}
    deploy = DeployConfig()
    assert images == {"model-server": deploy.model_server.image, "gateway": deploy.gateway.image}
    environment = (ROOT / "configs/environment.py").read_text(encoding="utf-8")
    assert f'_TF_SERVING = "{TF_SERVING}"' in environment


def test_the_shipped_configuration_is_what_render_writes(documents):
    rendered = stack.render(EnvironmentConfig(state=str(ROOT / "no-such-folder")), ["taxi"], "local", unseen=True)
    for path in (KUBERNETES / "base" / "config").iterdir():
        assert rendered.files[f"base/config/{path.name}"].data == path.read_bytes(), f"{path.name}: render it again"
    assert documents


def test_the_gateway_asks_listens_and_reads_where_the_manifests_say(documents, tmp_path):
    gateway = named(documents, "Deployment", "gateway")
    files, container = files_in(documents, gateway), container_of(gateway)
    place = container["args"][1]
    (tmp_path / "gateway.yaml").write_text(files[place])
    config = load_gateway(tmp_path / "gateway.yaml")
    assert container["ports"] == [{"name": "http", "containerPort": config.port}]
    host, _, port = config.upstreams["default"].grpc.partition(":")
    assert {item["port"] for item in named(documents, "Service", host)["spec"]["ports"] if item["name"] == "grpc"} == {int(port)}
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert mounts[config.store]["readOnly"]
    wait = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod_of(gateway)["terminationGracePeriodSeconds"] >= wait + config.limits.drain_seconds


def test_the_model_server_s_flags_are_tf_serving_s_and_their_files_are_there(documents):
    server = named(documents, "Deployment", "model-server")
    container, files = container_of(server), files_in(documents, server)
    flags = dict(flag.removeprefix("--").split("=", 1) for flag in container["args"])
    assert set(flags) <= {spec.name for spec in UPSTREAM}
    assert {value for value in flags.values() if value.startswith("/")} <= set(files)
    (taxi,) = model_configs.read_text(files[flags["model_config_file"]], "") or ()
    assert taxi.base_path.startswith(next(mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "store"))
    assert batching.read(files[flags["batching_parameters_file"]], "").num_batch_threads == int(container["resources"]["limits"]["cpu"])
    assert {name: int(flags[flag]) for name, flag in (("grpc", "port"), ("rest", "rest_api_port"))} == {
        port["name"]: port["containerPort"] for port in container["ports"]
    }
    variables = {item["name"] for item in container["env"]}
    assert set(re.findall(r"\$\((\w+)\)", " ".join(container["args"]))) <= variables


def test_metrics_are_scraped_where_they_are(production):
    files = files_in(production, named(production, "Deployment", "model-server"))
    path = monitoring.read(files["/etc/model-server/monitoring.config"], "").path
    monitor = named(production, "ServiceMonitor", "model-server")
    assert [endpoint["path"] for endpoint in monitor["spec"]["endpoints"]] == [path]


def test_only_the_gateway_reaches_the_model_server_by_grpc(documents):
    policies = [
        item
        for item in of_kind(documents, "NetworkPolicy")
        if item["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "model-server"
    ]
    allowed = {
        (rule["from"][0]["podSelector"]["matchLabels"].get("app.kubernetes.io/component", "prometheus"), port["port"])
        for policy in policies
        for rule in policy["spec"]["ingress"]
        for port in rule["ports"]
    }
    assert all(len(rule["from"]) == 1 for policy in policies for rule in policy["spec"]["ingress"])
    assert allowed <= {("gateway", "grpc"), ("prometheus", "rest")}
    assert ("gateway", "grpc") in allowed


def test_a_pod_that_goes_is_asked_nothing_any_more_when_it_ends(production):
    server = named(production, "Deployment", "model-server")
    container = container_of(server)
    wait = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    (age,) = re.findall(r"grpc\.max_connection_age_ms=(\d+)", " ".join(container["args"]))
    # gRPC spreads ages by 10 %, and counts from a connection that was opened with the last remembered answer.
    assert wait >= DNS_SECONDS + 1.1 * int(age) / 1000
    assert pod_of(server)["terminationGracePeriodSeconds"] > wait
    assert pod_of(server)["shareProcessNamespace"], "as process 1 TF Serving would ignore SIGTERM"


def test_a_configuration_that_is_followed_keeps_its_name_and_the_others_do_not(documents):
    names = {item["metadata"]["name"] for item in of_kind(documents, "ConfigMap")}
    assert {"model-server-models", "gateway-config"} <= names
    assert [name for name in names if re.fullmatch(r"model-server-settings-\w{10}", name)]
    mounts = [mount for item in of_kind(documents, "Deployment") for mount in container_of(item)["volumeMounts"]]
    assert not [mount for mount in mounts if mount["name"] == "config" and "subPath" in mount], "a subPath is never updated"


def test_the_page_shows_commands_that_there_are():
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert set(shown_commands(page, "make")) <= make_targets(ROOT)
    assert set(shown_commands(page, "sluiceway")) == {"deploy", "serving-config"}
    kinds = {"deploy": DeployConfig, "gateway": GatewayConfig}
    keys = [key for key in re.findall(r"\b(deploy|gateway)\.([a-z_]+)\b", page) if key[1] not in ("py", "md", "yaml")]
    assert [key for key in keys if key[1] not in {item.name for item in fields(kinds[key[0]])}] == []


_POD = "spec.template.spec"
_BOX = f"{_POD}.containers.0"
BROKEN = [
    ("Service", "gateway", "spec.ports.0.targetPort", "web", "Service gateway: no port web"),
    ("Service", "gateway", "spec.selector.x", "y", "Service gateway: chooses no pod"),
    ("PodDisruptionBudget", "gateway", "spec.selector.matchLabels.x", "y", "PodDisruptionBudget gateway: chooses no pod"),
    ("NetworkPolicy", "gateway", "spec.ingress.0.ports.0.port", "web", "NetworkPolicy gateway: no port web"),
    ("HorizontalPodAutoscaler", "gateway", "spec.scaleTargetRef.name", "x", "HorizontalPodAutoscaler gateway: scales nothing"),
    ("Deployment", "gateway", "spec.replicas", 3, "Deployment gateway: states a number of pods"),
    ("Deployment", "gateway", f"{_POD}.volumes.1.configMap.name", "gone", "Deployment gateway: no map gone"),
    ("Deployment", "gateway", f"{_POD}.serviceAccountName", "gone", "Deployment gateway: no account gone"),
    ("Deployment", "gateway", f"{_BOX}.readinessProbe.httpGet.port", "web", "Deployment gateway: readinessProbe asks port web"),
    ("Deployment", "model-server", f"{_BOX}.startupProbe.exec.command.1", "/gone", "Deployment model-server: startupProbe runs /gone"),
    ("Deployment", "gateway", f"{_BOX}.volumeMounts.0.name", "gone", "Deployment gateway: volumes and mounts differ"),
    ("IngressRoute", "gateway", "spec.routes.0.services.0.port", "web", "IngressRoute gateway: no service gateway:web"),
    ("IngressRoute", "gateway", "spec.routes.0.middlewares.0.name", "x", "IngressRoute gateway: no middleware x"),
    ("ServiceMonitor", "gateway", "spec.endpoints.0.port", "web", "ServiceMonitor gateway: no service port web"),
]


@pytest.mark.parametrize(("kind", "name", "place", "value", "finding"), BROKEN, ids=[row[-1] for row in BROKEN])
def test_a_loose_end_is_reported(production, kind, name, place, value, finding):
    found = copy.deepcopy(production)
    *way, last = place.split(".")
    functools.reduce(lambda node, step: node[int(step) if step.isdigit() else step], way, named(found, kind, name))[
        int(last) if last.isdigit() else last
    ] = value
    assert [line for line in loose_ends(found) if line.startswith(finding)] != []


@pytest.mark.parametrize(
    ("place", "key", "value", "finding"),
    [
        ("pod", "runAsNonRoot", False, "may be root"),
        ("pod", "seccompProfile", {"type": "Unconfined"}, "may call what it likes"),
        ("container", "readOnlyRootFilesystem", False, "may write to its image"),
        ("container", "capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN"]}, "has capabilities"),
        ("container", "allowPrivilegeEscalation", True, "may become more"),
    ],
)
def test_a_pod_that_is_too_free_is_reported(production, place, key, value, finding):
    found = copy.deepcopy(production)
    workload = named(found, "Deployment", "gateway")
    (pod_of(workload) if place == "pod" else container_of(workload))["securityContext"][key] = value
    assert too_free(found) == [f"Deployment gateway: {finding}"]
