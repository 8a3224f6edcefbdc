"""A stack, from configuration and store to files: each overlay has what its servers read, and keys go nowhere else."""

from __future__ import annotations

import pytest
import yaml
from msgspec.structs import replace

from configs.deployment import Batching, DeployConfig, Entrance, ModelServers, ServedModel, Storage, Tls
from configs.environment import EnvironmentConfig
from configs.errors import ConfigError, UsageError
from configs.gateway import GatewayConfig, Keys, Upstream
from configs.gateway import Tls as UpstreamTls
from serving.deployment import kustomization
from serving.deployment.kustomization import SHIPPED_CORES
from serving.deployment.stack import OVERLAYS, published, render, server_stack
from serving.server.schemas import batching, model_configs
from serving.store.local import LocalStore
from serving.store.manifest import Identity

HOST = Entrance(host="m.example.com")


@pytest.fixture
def environment(tmp_path):
    """A store with two versions of taxi and one of leaves."""
    (model := tmp_path / "model").mkdir()
    (model / "saved_model.pb").write_bytes(b"graph")
    store = LocalStore(tmp_path / "state" / "store")
    for name in ("taxi", "taxi", "leaves"):
        store.publish(name, model, Identity("run", name))
    return EnvironmentConfig(state=str(tmp_path / "state"), deploy=DeployConfig(entrance=HOST))


@pytest.fixture
def tls(tmp_path):
    for name, kind in (("key", "PRIVATE KEY"), ("cert", "CERTIFICATE")):
        (tmp_path / name).write_text(f"-----BEGIN {kind}-----\n{name}\n-----END {kind}-----\n")
    return Tls(key_file=str(tmp_path / "key"), cert_file=str(tmp_path / "cert"))


def deploying(environment, **changes):
    return replace(environment, deploy=replace(environment.deploy, **changes))


def config(stack, overlay, name):
    place = f"config/{name}" if overlay == "compose" else f"base/config/{name}"
    return stack.files[place].data.decode()


def test_what_is_published_is_known(environment):
    assert published(environment) == {"leaves": [1], "taxi": [1, 2]}


def test_a_server_alone_finds_this_machine_s_store(environment, tmp_path):
    stack = server_stack(environment, ["taxi"], base_path=None)
    assert set(stack.files) == {"models.config", "batching.config", "monitoring.config"}
    (taxi,) = model_configs.read_text(stack.files["models.config"].data.decode(), "") or ()
    assert taxi.base_path == str(tmp_path / "state" / "store" / "taxi")
    assert "gs://b/taxi" in server_stack(environment, ["taxi"], base_path="gs://b").files["models.config"].data.decode()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_overlay_has_what_its_servers_read(environment, overlay):
    stack = render(environment, [], overlay)
    assert [config.name for config in model_configs.read_text(config(stack, overlay, "models.config"), "") or ()] == ["leaves", "taxi"]
    assert "/models/taxi" in config(stack, overlay, "models.config")
    assert yaml.safe_load(config(stack, overlay, "gateway.yaml"))["upstreams"] == {"default": {"grpc": "model-server:8500"}}
    assert config(stack, overlay, "ready.sh").startswith("#!/bin/bash")
    assert not any(content.private for content in stack.files.values())


def test_on_a_cluster_batches_get_the_threads_of_the_shipped_limit(environment):
    assert batching.read(config(render(environment, [], "local"), "local", "batching.config"), "").num_batch_threads == int(
        SHIPPED_CORES["model-server"]
    )
    bigger = deploying(environment, model_server=ModelServers(image="s:1", cpu_limit="6"))
    assert batching.read(config(render(bigger, [], "local"), "local", "batching.config"), "").num_batch_threads == 6


def test_a_bucket_is_read_by_tf_serving_and_by_nobody_else(environment):
    stack = render(deploying(environment, storage=Storage(bucket="gs://b/store")), [], "production")
    assert "gs://b/store/taxi" in config(stack, "production", "models.config")
    assert "store" not in yaml.safe_load(config(stack, "production", "gateway.yaml"))


def test_a_key_is_in_no_manifest_and_only_for_its_owner_elsewhere(environment, tls):
    gateway = GatewayConfig(upstreams={"default": Upstream(tls=UpstreamTls(ca_file="ca.pem"))})
    secured = replace(deploying(environment, tls=tls), gateway=gateway)
    assert server_stack(secured, [], base_path=None).files["ssl.config"].private
    composed = render(secured, [], "compose")
    assert [name for name, content in composed.files.items() if content.private] == ["server-secrets/ssl.config"]
    for overlay in kustomization.OVERLAYS:
        assert not any(b"PRIVATE KEY" in content.data for content in render(secured, [], overlay).files.values())


def test_a_gateway_that_would_speak_plain_text_to_tls_is_refused(environment, tls):
    with pytest.raises(ConfigError, match=r"gateway\.upstreams\.default\.tls is null"):
        render(deploying(environment, tls=tls), [], "compose")


def test_a_model_that_nobody_has_published_is_refused(environment):
    with pytest.raises(UsageError, match="digits has no published version"):
        render(environment, ["digits"], "compose")
    assert render(environment, ["digits"], "compose", unseen=True).choice.models[0].name == "digits"


def test_what_does_not_fit_together_is_told(environment):
    odd = deploying(environment, batching=Batching(max_batch_size=16), models={"taxi": ServedModel(labels={"stable": 9})})
    notes = render(replace(odd, gateway=GatewayConfig(keys=Keys(file="state/keys.yaml"))), [], "compose").notes
    assert [note.partition(":")[0] for note in notes] == [
        "deploy.models.taxi.labels.stable",
        "deploy.batching.max_batch_size",
        "gateway.keys.file",
    ]
    assert "copy state/keys.yaml into secrets/" in notes[-1]


def test_keys_in_a_variable_need_a_place_that_has_it(environment):
    chosen = replace(environment, gateway=GatewayConfig(keys=Keys(env="MY_KEYS")))
    with pytest.raises(UsageError, match=r"gateway\.keys\.env: MY_KEYS: containers get no variables of this machine"):
        render(chosen, [], "compose")
    assert [note for note in render(chosen, [], "production").notes if "MY_KEYS from a secret that is yours to make" in note]
