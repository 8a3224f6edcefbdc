"""The gateway's file in a container: this machine's addresses and paths become the stack's, and it reads back as it was meant."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from configs.gateway import Arm, GatewayConfig, Jwt, Keys, Limits, Model, Tls, Upstream
from configs.load import load_gateway
from serving.deployment.gateway_file import gateway_yaml, in_container, named_files


@pytest.mark.parametrize(
    ("grpc", "moved"),
    [
        ("127.0.0.1:8500", "model-server:8500"),
        ("localhost:9500", "model-server:8500"),
        ("[::1]:8500", "model-server:8500"),
        ("models.example.com:8500", "models.example.com:8500"),
        ("10.0.0.7:8500", "10.0.0.7:8500"),
    ],
)
def test_only_this_machine_becomes_the_model_server(grpc, moved):
    found = in_container(GatewayConfig(upstreams={"default": Upstream(grpc=grpc)}))
    assert found.upstreams["default"].grpc == moved


def test_it_listens_for_others_and_reads_the_mounted_store():
    found = in_container(GatewayConfig(host="127.0.0.1", port=0, store="state/store"))
    assert (found.host, found.port, found.store) == ("0.0.0.0", 8080, "/models")
    assert in_container(GatewayConfig(), store=None).store is None


def test_only_behind_a_proxy_of_ours_is_a_proxy_believed():
    assert in_container(GatewayConfig()).trusted_proxies == []
    assert in_container(GatewayConfig(), behind_proxy=True).trusted_proxies == ["*"]
    assert in_container(GatewayConfig(trusted_proxies=["10.0.0.1"]), behind_proxy=True).trusted_proxies == ["10.0.0.1"]


def test_named_files_are_expected_in_one_folder():
    config = GatewayConfig(
        keys=Keys(file="state/keys.yaml"),
        jwt=Jwt(issuer="i", audience="a", key_file="/etc/idp/key.pem"),
        upstreams={"default": Upstream(tls=Tls(ca_file="ca.pem", server_name="models"))},
    )
    assert list(named_files(config)) == ["gateway.keys.file", "gateway.jwt.key_file", "gateway.upstreams.default.tls.ca_file"]
    assert set(named_files(in_container(config)).values()) == {
        f"/etc/sluiceway-secrets/{name}" for name in ("keys.yaml", "key.pem", "ca.pem")
    }


def test_two_files_of_one_name_are_refused():
    config = GatewayConfig(keys=Keys(file="a/x"), jwt=Jwt(issuer="i", audience="a", key_file="b/x"))
    with pytest.raises(UsageError, match="two files are called x"):
        in_container(config)


@pytest.mark.parametrize(
    "config",
    [
        GatewayConfig(),
        GatewayConfig(models={"taxi": Model(arms=[Arm(version=2, weight=9), Arm(label="canary")], concurrency=4)}, page=False),
        GatewayConfig(limits=Limits(drain_seconds=3.5), keys=Keys(env="KEYS", per_minute=60), cors=["https://a.example"]),
    ],
)
def test_it_reads_back_as_it_was_meant(config, tmp_path):
    meant = in_container(config)
    (tmp_path / "gateway.yaml").write_text(gateway_yaml(meant))
    assert load_gateway(tmp_path / "gateway.yaml") == meant


def test_what_says_nothing_is_not_written():
    assert "null" not in gateway_yaml(in_container(GatewayConfig(models={"taxi": Model(arms=[Arm(version=1)])})))


def test_a_null_that_says_something_is_written(tmp_path):
    config = GatewayConfig(jwt=Jwt(issuer="i", audience="a", key_file="k", per_minute=None), keys=Keys(file="/k", per_minute=None))
    (tmp_path / "gateway.yaml").write_text(gateway_yaml(config))
    found = load_gateway(tmp_path / "gateway.yaml")
    assert (found.jwt.per_minute, found.keys.per_minute) == (None, None)
