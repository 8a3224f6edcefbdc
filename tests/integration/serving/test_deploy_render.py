"""What deploy render writes builds with kubectl and is valid, also far from the defaults, and says what the configuration said."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from msgspec import convert

from configs.environment import EnvironmentConfig
from serving.deployment.folder import write
from serving.deployment.stack import render
from tests.conftest import NOT_HERE
from tests.house.manifests import container_of, loose_ends, named, of_kind, pod_of, too_free

FOREIGN = {"IngressRoute", "Middleware", "ServersTransport", "ServiceMonitor"}
DIGEST = "sha256:" + "ab" * 32
BUCKET = {
    "namespace": "models",
    "storage": {"bucket": "gs://models/store", "poll_seconds": 90},
    "entrance": {"kind": "ingress", "host": "m.example.com", "tls_secret": "cert", "ingress_class": "nginx"},
    "gateway": {"image": f"r.example.com:5000/team/gateway@{DIGEST}", "replicas": 4, "max_replicas": 20, "memory": "1Gi"},
    "monitoring": False,
}
CLAIM = {
    "storage": {"claim": "other"},
    "entrance": {"host": "m.example.com", "tls_secret": "cert"},
    "model_server": {"image": "r.example.com/server:2", "cpu": "2", "cpu_limit": "3500m", "memory": "8Gi"},
}


def built(deploy: dict[str, Any], overlay: str, folder: Path, gateway: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    if shutil.which("kubectl") is None:
        pytest.skip(f"{NOT_HERE if sys.version_info < (3, 11) else ''}no kubectl builds the manifests (Debian 13: kubernetes-client)")
    environment = convert({"state": str(folder / "state"), "deploy": deploy, "gateway": gateway or {}}, EnvironmentConfig)
    write(folder / "out", render(environment, ["taxi", "leaves"], overlay, unseen=True).files)
    done = subprocess.run(["kubectl", "kustomize", str(folder / "out")], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    documents: list[dict[str, Any]] = list(yaml.safe_load_all(done.stdout))
    for document in documents:
        if document["kind"] not in FOREIGN:
            kubernetes_validate.validate(document, "1.32", strict=True)
    assert (loose_ends(documents), too_free(documents)) == ([], [])
    return documents


def test_a_bucket_an_ingress_and_an_image_by_digest(tmp_path):
    documents = built(BUCKET, "production", tmp_path)
    gateway, server = named(documents, "Deployment", "gateway"), named(documents, "Deployment", "model-server")
    assert container_of(gateway)["image"] == f"r.example.com:5000/team/gateway@{DIGEST}"
    assert container_of(gateway)["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}
    assert not [volume for workload in (gateway, server) for volume in pod_of(workload)["volumes"] if volume["name"] == "store"]
    assert {item["name"]: item.get("value") for item in container_of(server)["env"]}["POLL_SECONDS"] == "90"
    assert 'base_path: "gs://models/store/taxi"' in named(documents, "ConfigMap", "model-server-models")["data"]["models.config"]
    assert named(documents, "HorizontalPodAutoscaler", "gateway")["spec"]["minReplicas"] == 4
    ingress = named(documents, "Ingress", "gateway")["spec"]
    assert (ingress["ingressClassName"], ingress["rules"][0]["host"], ingress["tls"][0]["secretName"]) == ("nginx", "m.example.com", "cert")
    assert {document["metadata"]["namespace"] for document in documents} == {"models"}
    assert not of_kind(documents, "ServiceMonitor", "IngressRoute", "PersistentVolumeClaim")


def test_another_claim_and_bigger_servers(tmp_path):
    documents = built(CLAIM, "production", tmp_path, {"limits": {"drain_seconds": 90}})
    server = named(documents, "Deployment", "model-server")
    assert container_of(server)["resources"] == {"requests": {"cpu": "2", "memory": "8Gi"}, "limits": {"cpu": "3500m", "memory": "8Gi"}}
    (settings,) = (item for item in of_kind(documents, "ConfigMap") if item["metadata"]["name"].startswith("model-server-settings"))
    assert "num_batch_threads {\n  value: 4\n}" in settings["data"]["batching.config"]
    for name in ("gateway", "model-server"):
        volumes = {volume["name"]: volume for volume in pod_of(named(documents, "Deployment", name))["volumes"]}
        assert volumes["store"]["persistentVolumeClaim"] == {"claimName": "other"}
    assert pod_of(named(documents, "Deployment", "gateway"))["terminationGracePeriodSeconds"] == 100
    route = named(documents, "IngressRoute", "gateway")["spec"]
    assert (route["routes"][0]["match"], route["tls"]) == ("Host(`m.example.com`) && !Path(`/metrics`)", {"secretName": "cert"})


def test_tls_between_gateway_and_model_server(tmp_path):
    for name, kind in (("key", "PRIVATE KEY"), ("cert", "CERTIFICATE")):
        (tmp_path / name).write_text(f"-----BEGIN {kind}-----\n-----END {kind}-----\n")
    deploy = {"tls": {"key_file": str(tmp_path / "key"), "cert_file": str(tmp_path / "cert")}}
    documents = built(deploy, "local", tmp_path, {"upstreams": {"default": {"tls": {"ca_file": "ca.pem"}}}})
    server = named(documents, "Deployment", "model-server")
    assert "--ssl_config_file=/etc/model-server-tls/ssl.config" in container_of(server)["args"]
    assert {"name": "tls", "secret": {"secretName": "model-server-tls"}} in pod_of(server)["volumes"]
    assert "ca_file: /etc/sluiceway-secrets/ca.pem" in named(documents, "ConfigMap", "gateway-config")["data"]["gateway.yaml"]


def test_a_local_cluster_has_one_of_each_and_a_claim_of_its_own(tmp_path):
    documents = built({}, "local", tmp_path)
    assert [item["spec"]["replicas"] for item in of_kind(documents, "Deployment")] == [1, 1]
    assert named(documents, "PersistentVolumeClaim", "sluiceway")["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert named(documents, "Ingress", "gateway")["spec"]["rules"][0]["host"] == "sluiceway.localhost"


def test_a_change_of_what_is_followed_renames_nothing_and_one_of_what_is_not_rolls_out(tmp_path):
    first, second = (built({"batching": {"queue": queue}}, "local", tmp_path / str(queue)) for queue in (10, 20))
    maps = [{item["metadata"]["name"] for item in of_kind(documents, "ConfigMap")} for documents in (first, second)]
    assert {"model-server-models", "gateway-config"} == maps[0] & maps[1]
    assert len(maps[0] | maps[1]) == 4
