"""TF Serving's files: what is written reads back as what was meant, by the official messages where there are any."""

from __future__ import annotations

import warnings

import pytest
from google.protobuf import text_format

from configs.deployment import Batching, Tls
from configs.errors import UsageError
from serving.deployment import server_files
from serving.deployment.models import Served
from serving.server.model_config import VersionPolicy
from serving.server.schemas import batching, model_configs, monitoring, ssl

MODELS = (Served("taxi", latest=2, labels={"stable": 3}), Served("leaves", versions=(1, 4)))


def test_models_read_back_as_they_were_meant():
    taxi, leaves = model_configs.read_text(server_files.models_config(MODELS, "/models/"), "here") or ()
    assert (taxi.name, taxi.base_path, taxi.platform) == ("taxi", "/models/taxi", "tensorflow")
    assert (taxi.policy, taxi.labels) == (VersionPolicy("latest", 2), {"stable": 3})
    assert leaves.policy == VersionPolicy("specific", versions=(1, 4))


def test_the_official_message_reads_the_same():
    pytest.importorskip("tensorflow_serving")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorflow_serving.config import model_server_config_pb2 as official
    found = text_format.Parse(server_files.models_config(MODELS, "gs://bucket/store"), official.ModelServerConfig())
    taxi, leaves = found.model_config_list.config
    assert (taxi.base_path, dict(taxi.version_labels)) == ("gs://bucket/store/taxi", {"stable": 3})
    assert taxi.model_version_policy.latest.num_versions == 2
    assert list(leaves.model_version_policy.specific.versions) == [1, 4]


def test_no_model_is_a_list_of_none():
    assert model_configs.read_text(server_files.models_config((), "/models"), "here") == ()


@pytest.mark.parametrize(
    ("settings", "cores", "threads"),
    [(Batching(), "2500m", 3), (Batching(), "500m", 1), (Batching(), "4", 4), (Batching(threads=7), "4", 7)],
)
def test_batches_get_the_threads_of_the_container(settings, cores, threads):
    assert batching.read(server_files.batching_config(settings, cores), "here").num_batch_threads == threads


def test_without_a_limit_tf_serving_decides():
    text = server_files.batching_config(Batching(max_batch_size=64, timeout_micros=500, queue=7), None)
    found = batching.read(text, "here")
    assert (found.max_batch_size, found.batch_timeout_micros, found.max_enqueued_batches) == (64, 500, 7)
    assert "num_batch_threads" not in text


def test_metrics_are_where_prometheus_looks():
    found = monitoring.read(server_files.monitoring_config(), "here")
    assert (found.enabled, found.path) == (True, "/monitoring/prometheus/metrics")


@pytest.fixture
def pem(tmp_path):
    files = {"key": "PRIVATE KEY", "cert": "CERTIFICATE", "ca": "CERTIFICATE"}
    for name, kind in files.items():
        (tmp_path / f"{name}.pem").write_text(f"-----BEGIN {kind}-----\n{name}\n-----END {kind}-----\n")
    return tmp_path


def test_tls_holds_what_the_files_hold(pem):
    tls = Tls(key_file=f"{pem}/key.pem", cert_file=f"{pem}/cert.pem", ca_file=f"{pem}/ca.pem", client_verify=True)
    found = ssl.read(server_files.ssl_config(tls), "here")
    assert (found.server_key, found.server_cert, found.custom_ca) == tuple(
        (pem / f"{name}.pem").read_text() for name in ("key", "cert", "ca")
    )
    assert found.client_verify


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key_file": "gone.pem"}, "deploy.tls.key_file: .*gone.pem: No such file"),
        ({"key_file": "cert.pem"}, "deploy.tls.key_file: .*cert.pem holds no PEM private key"),
        ({"client_verify": True}, "name the authorities"),
    ],
)
def test_tls_that_cannot_be_is_one_line(pem, changes, message):
    files = {"key_file": "key.pem", "cert_file": "cert.pem"} | changes
    given = {key: f"{pem}/{value}" if isinstance(value, str) else value for key, value in files.items()}
    with pytest.raises(UsageError, match=message) as caught:
        server_files.ssl_config(Tls(**given))
    assert "\n" not in str(caught.value)


def test_flags_name_the_files():
    flags = server_files.server_flags("/etc/x", tls=True)
    assert "--model_config_file=/etc/x/models.config" in flags
    assert "--allow_version_labels_for_unavailable_models=true" in flags
    assert "--ssl_config_file=/etc/x/ssl.config" in flags
    assert not any(flag.startswith("--ssl") for flag in server_files.server_flags("/etc/x"))
