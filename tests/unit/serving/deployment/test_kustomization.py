"""Kubernetes manifests: where the configuration says something it stands in place of the overlay's own, and nowhere else."""

from __future__ import annotations

import pytest
import yaml

from configs.deployment import DeployConfig, Entrance, Gateways, ModelServers, Storage, Tls
from configs.errors import ConfigError, UsageError
from configs.gateway import GatewayConfig, Limits
from serving.deployment.kustomization import manifests, notes

NAMED = Entrance(host="m.example.com")


def kustomization(deploy: DeployConfig, overlay: str = "production", gateway: GatewayConfig | None = None):
    return yaml.safe_load(manifests(deploy, gateway or GatewayConfig(), overlay, {})["kustomization.yaml"])


def patch(document, kind, name, place=-1):
    return yaml.safe_load([item["patch"] for item in document["patches"] if item["target"] == {"kind": kind, "name": name}][place])


def test_paths_lead_to_what_is_in_the_folder():
    for overlay in ("local", "production"):
        files = manifests(DeployConfig(entrance=NAMED), GatewayConfig(), overlay, {"models.config": b"mine"})
        document = yaml.safe_load(files["kustomization.yaml"])
        for place in [*document["resources"], *document["components"]]:
            assert place in files or f"{place}/kustomization.yaml" in files, place
        assert files["base/config/models.config"] == b"mine"
        assert not any("overlays" in name for name in files)


@pytest.mark.parametrize(
    ("deploy", "there", "gone"),
    [
        (DeployConfig(entrance=NAMED), {"claim", "traefik", "monitoring", "autoscaling"}, {"bucket", "ingress", "tls"}),
        (DeployConfig(entrance=NAMED, storage=Storage(bucket="gs://b/store")), {"bucket"}, {"claim"}),
        (DeployConfig(entrance=Entrance(host="m", kind="ingress")), {"ingress"}, {"traefik"}),
        (DeployConfig(entrance=NAMED, monitoring=False), set(), {"monitoring"}),
        (DeployConfig(entrance=NAMED, tls=Tls(key_file="k", cert_file="c")), {"tls"}, set()),
    ],
)
def test_components_are_chosen_by_the_configuration(deploy, there, gone):
    found = {place.removeprefix("components/") for place in kustomization(deploy)["components"]}
    assert there <= found
    assert not gone & found


def test_a_local_cluster_can_be_monitored_too():
    assert "components/monitoring" in kustomization(DeployConfig(monitoring=True), "local")["components"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("r.example.com:5000/team/gateway:1.2", {"newName": "r.example.com:5000/team/gateway", "newTag": "1.2"}),
        ("gateway:1", {"newName": "gateway", "newTag": "1"}),
        ("r.example.com/g:1@sha256:ab", {"newName": "r.example.com/g", "digest": "sha256:ab"}),
        ("r.example.com:5000/g@sha256:ab", {"newName": "r.example.com:5000/g", "digest": "sha256:ab"}),
    ],
)
def test_an_image_is_named_by_tag_or_digest(image, expected):
    images = kustomization(DeployConfig(gateway=Gateways(image=image)), "local")["images"]
    assert images[1] == {"name": "sluiceway/gateway", **expected}


@pytest.mark.parametrize("image", ["gateway", "r.example.com:5000/gateway"])
def test_an_image_without_a_tag_is_refused(image):
    with pytest.raises(ConfigError, match="neither a tag nor a digest"):
        kustomization(DeployConfig(gateway=Gateways(image=image)), "local")


def test_production_needs_a_name_and_a_local_cluster_has_one():
    with pytest.raises(ConfigError, match=r"deploy\.entrance\.host"):
        kustomization(DeployConfig())
    assert patch(kustomization(DeployConfig(), "local"), "Ingress", "gateway")[0]["value"] == "sluiceway.localhost"


def test_the_name_is_in_the_route_which_does_not_lead_to_the_metrics():
    found = patch(kustomization(DeployConfig(entrance=Entrance(host="m.example.com", tls_secret="cert"))), "IngressRoute", "gateway")
    assert found[0]["value"] == "Host(`m.example.com`) && !Path(`/metrics`)"
    assert found[1] == {"op": "replace", "path": "/spec/tls", "value": {"secretName": "cert"}}


def test_the_name_is_in_the_ingress():
    entrance = Entrance(kind="ingress", host="m.example.com", tls_secret="cert", ingress_class="nginx")
    found = patch(kustomization(DeployConfig(entrance=entrance)), "Ingress", "gateway")
    assert [operation["value"] for operation in found] == ["m.example.com", [{"hosts": ["m.example.com"], "secretName": "cert"}], "nginx"]


def test_resources_are_those_that_are_given():
    pods = ModelServers(image="tensorflow/serving:2", cpu="1", cpu_limit="4", memory="8Gi")
    found = patch(kustomization(DeployConfig(entrance=NAMED, model_server=pods)), "Deployment", "model-server")
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"] == {"requests": {"cpu": "1", "memory": "8Gi"}, "limits": {"cpu": "4", "memory": "8Gi"}}


def test_numbers_of_pods_go_to_the_scaler_where_there_is_one():
    pods = Gateways(image="g:1", replicas=5, max_replicas=8)
    found = patch(kustomization(DeployConfig(entrance=NAMED, gateway=pods)), "HorizontalPodAutoscaler", "gateway")
    assert {operation["path"]: operation["value"] for operation in found} == {"/spec/minReplicas": 5, "/spec/maxReplicas": 8}


def test_numbers_of_pods_go_to_the_deployment_where_there_is_none():
    found = kustomization(DeployConfig(gateway=Gateways(image="g:1", replicas=2)), "local")["replicas"]
    assert found == [{"name": "model-server", "count": 1}, {"name": "gateway", "count": 2}]
    with pytest.raises(UsageError, match="max_replicas of the gateway"):
        kustomization(DeployConfig(gateway=Gateways(image="g:1", max_replicas=2)), "local")


def test_more_than_the_most_is_refused():
    with pytest.raises(ConfigError, match=r"deploy\.model_server\.replicas: 9 is more than deploy\.model_server\.max_replicas: 3"):
        kustomization(DeployConfig(entrance=NAMED, model_server=ModelServers(image="s:1", replicas=9, max_replicas=3)))


def test_another_claim_is_mounted_and_none_is_made():
    document = kustomization(DeployConfig(storage=Storage(claim="models", poll_seconds=9)), "local")
    assert "claim.yaml" not in document["resources"]
    volumes = patch(document, "Deployment", "gateway")["spec"]["template"]["spec"]["volumes"]
    assert volumes == [{"name": "store", "persistentVolumeClaim": {"claimName": "models"}}]
    container = patch(document, "Deployment", "model-server")["spec"]["template"]["spec"]["containers"][0]
    assert container["env"] == [{"name": "POLL_SECONDS", "value": "9"}]


def test_a_long_drain_gets_its_time():
    found = patch(kustomization(DeployConfig(), "local", GatewayConfig(limits=Limits(drain_seconds=59.5))), "Deployment", "gateway")
    assert found["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 70


def test_what_is_left_to_do_is_told():
    assert notes(DeployConfig(), "local") == []
    assert "push it" in notes(DeployConfig(), "production")[0]
    assert notes(DeployConfig(gateway=Gateways(image="r.example.com/gateway:1")), "production") == []
    assert "model-server-tls" in notes(DeployConfig(tls=Tls(key_file="k", cert_file="c")), "local")[0]


@pytest.mark.parametrize(
    ("pods", "told"),
    [
        ({"max_replicas": 2}, "deploy.model_server.replicas: 3 is more than deploy.model_server.max_replicas: 2; say both"),
        ({"replicas": 12}, "deploy.model_server.replicas: 12 is more than deploy.model_server.max_replicas: 10; say both"),
        ({"cpu": "4"}, "deploy.model_server.cpu: 4 is more than deploy.model_server.cpu_limit: 2; say both"),
        ({"cpu": "2500m", "cpu_limit": "2"}, "deploy.model_server.cpu: 2500m is more than deploy.model_server.cpu_limit: 2; say both"),
    ],
)
def test_what_a_cluster_would_refuse_is_refused_here(pods, told):
    with pytest.raises(ConfigError) as caught:
        kustomization(DeployConfig(entrance=NAMED, model_server=ModelServers(**pods)))
    assert str(caught.value) == told


def test_a_local_cluster_s_own_name_is_in_what_is_asked_for():
    route = kustomization(DeployConfig(entrance=Entrance(kind="traefik")), "local")
    assert patch(route, "IngressRoute", "gateway")[0]["value"] == "Host(`sluiceway.localhost`) && !Path(`/metrics`)"
    ingress = patch(kustomization(DeployConfig(entrance=Entrance(ingress_class="nginx", tls_secret="s")), "local"), "Ingress", "gateway")
    assert {step["path"]: step["value"] for step in ingress} == {
        "/spec/rules/0/host": "sluiceway.localhost",
        "/spec/tls": [{"hosts": ["sluiceway.localhost"], "secretName": "s"}],
        "/spec/ingressClassName": "nginx",
    }
