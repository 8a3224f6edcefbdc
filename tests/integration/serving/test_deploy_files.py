"""What serving-config writes starts our server: several models, labels from the first moment, metrics, TLS; and the probe reads it."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from configs.deployment import DeployConfig, ServedModel, Tls
from configs.environment import EnvironmentConfig
from configs.gateway import GatewayConfig, Upstream
from configs.gateway import Tls as UpstreamTls
from serving.clients import load
from serving.deployment import shipped
from serving.deployment.folder import write
from serving.deployment.server_files import server_flags
from serving.deployment.stack import server_stack
from serving.launchers.readiness import wait_for
from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from tests.integration.serving.server_process import ServerProcess, started
from tests.integration.serving.small_model import saved_model

COLUMNS = {"x": [1.0], "n": [1], "k": ["a"]}
SCRIPT = shipped.ROOT / shipped.CONFIG / "ready.sh"


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> EnvironmentConfig:
    """A store with two versions of m (y = 2 x + n, then y = 4 x + n) and one of other."""
    root = tmp_path_factory.mktemp("state")
    store = LocalStore(root / "store")
    for name, model in (("m", "plain"), ("m", "doubled"), ("other", "plain")):
        store.publish(name, saved_model(model), Identity("run", name))
    models = {"m": ServedModel(latest=2, labels={"stable": 1, "next": 2}), "other": ServedModel()}
    return EnvironmentConfig(state=str(root), deploy=DeployConfig(models=models))


@contextmanager
def served(environment: EnvironmentConfig, scratch: Path) -> Iterator[ServerProcess]:
    """A server on the files, at any free ports, with the flags of the files and nothing else."""
    write(scratch / "files", server_stack(environment, [], base_path=None).files)
    flags = server_flags(str(scratch / "files"), tls=environment.deploy.tls is not None)
    with started(scratch, "--port=0", "--rest_api_port=0", *flags) as server:
        yield server


@pytest.fixture(scope="module")
def server(environment, tmp_path_factory) -> Iterator[ServerProcess]:
    with served(environment, tmp_path_factory.mktemp("server")) as server:
        yield server


def probe(mode: str, server: ServerProcess, models: Path) -> subprocess.CompletedProcess[str]:
    """The probe on a server."""
    return run_probe(mode, models, int(server.rest_address.rpartition(":")[2]))


@contextmanager
def answering(page: str) -> Iterator[int]:
    """The port of a server that gives every request this page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def run_probe(mode: str, models: Path, port: int) -> subprocess.CompletedProcess[str]:
    """The probe as Kubernetes runs it."""
    environment = {**os.environ, "SERVED": str(models), "REST_PORT": str(port)}
    return subprocess.run(["bash", str(SCRIPT), mode], env=environment, capture_output=True, text=True, timeout=30, check=False)


def wait_until_ready(server: ServerProcess, models: Path) -> None:
    wait_for(lambda: probe("all", server, models).returncode == 0 or None, server.process.poll, what="ready", deadline_seconds=120)


@pytest.fixture(scope="module")
def ready(server) -> ServerProcess:
    """The server, once its probe says so."""
    wait_until_ready(server, server.log.parent / "files" / "models.config")
    return server


def asked(address: str, model: str, **version: object) -> float:
    with load("grpc")(address) as client:
        return float(client.predict(model, COLUMNS, signature="serving_default", **version)["y"][0])


def test_every_model_answers_in_every_version_that_was_asked_for(ready):
    assert [asked(ready.grpc_address, "m"), asked(ready.grpc_address, "m", version=1), asked(ready.grpc_address, "other")] == [
        5.0,
        3.0,
        3.0,
    ]


def test_labels_answer_from_the_first_moment(ready):
    answers = {}
    with grpc.insecure_channel(ready.grpc_address) as channel:
        call = channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict",
            request_serializer=wire.PredictRequest.SerializeToString,
            response_deserializer=wire.PredictResponse.FromString,
        )
        for label in ("stable", "next"):
            request = wire.PredictRequest(model_spec=wire.ModelSpec(name="m", version_label=label))
            for name, value, dtype in (("x", [1.0], "float32"), ("n", [1], "int64"), ("k", ["a"], "string")):
                request.inputs[name].CopyFrom(tensors.to_proto(value, dtype))
            answers[label] = call(request, timeout=20).model_spec.version.value
    assert answers == {"stable": 1, "next": 2}


def test_metrics_are_where_the_scrape_configuration_looks(ready):
    page = httpx.get(f"{ready.rest_address}/monitoring/prometheus/metrics", timeout=10)
    assert page.status_code == 200
    assert "# TYPE" in page.text


def test_the_probe_says_what_each_model_is(ready):
    done = probe("states", ready, ready.log.parent / "files" / "models.config")
    lines = dict(line.split("\t", 1) for line in done.stdout.splitlines())
    states = {name: [row["state"] for row in json.loads(said)["model_version_status"]] for name, said in lines.items()}
    assert states == {"m": ["AVAILABLE", "AVAILABLE"], "other": ["AVAILABLE"]}


def test_a_model_that_is_not_there_keeps_a_new_server_from_traffic_and_an_old_one_in_it(ready, tmp_path):
    listed = tmp_path / "models.config"
    listed.write_text(
        (ready.log.parent / "files" / "models.config").read_text() + 'model_config_list {\n config {\n  name: "broken"\n }\n}\n'
    )
    strict, lenient = probe("all", ready, listed), probe("any", ready, listed)
    assert (strict.returncode, lenient.returncode) == (1, 0)
    assert "no version is AVAILABLE of: broken" in strict.stderr
    listed.write_text('model_config_list {\n config {\n  name: "broken"\n }\n}\n')
    assert probe("any", ready, listed).returncode == 1


@pytest.mark.parametrize(
    ("states", "strict", "lenient"),
    [
        (["AVAILABLE"], 0, 0),
        (["LOADING", "AVAILABLE"], 1, 0),
        (["START"], 1, 1),
        (["END", "AVAILABLE"], 0, 0),
        (["END"], 1, 1),
        (["UNLOADING"], 1, 1),
        ([], 1, 1),
    ],
)
def test_ready_is_what_the_states_say(tmp_path, states, strict, lenient):
    (tmp_path / "models.config").write_text('model_config_list { \n  name: "m"\n}')
    page = json.dumps({"model_version_status": [{"version": str(at), "state": state} for at, state in enumerate(states)]}, indent=1)
    with answering(page) as port:
        codes = [run_probe(mode, tmp_path / "models.config", port).returncode for mode in ("all", "any")]
    assert codes == [strict, lenient]


def test_the_probe_follows_the_list_it_is_given(ready, tmp_path):
    assert probe("all", ready, tmp_path / "gone").returncode == 1
    (tmp_path / "empty").write_text("model_config_list {\n}\n")
    assert [probe(mode, ready, tmp_path / "empty").returncode for mode in ("all", "any")] == [0, 0]
    assert probe("dance", ready, tmp_path / "empty").returncode == 2


def test_a_server_that_ends_is_not_ready(environment, tmp_path):
    with served(environment, tmp_path) as server:
        wait_until_ready(server, tmp_path / "files" / "models.config")
        server.process.terminate()
        assert server.process.wait(60) == 0
        gone = probe("any", server, tmp_path / "files" / "models.config")
        assert (gone.returncode, gone.stderr.count("\n")) == (1, 1)
        assert "nothing answers on port" in gone.stderr


def test_tls_is_spoken_with_the_files_that_were_named(environment, tmp_path):
    certify(tmp_path)
    gateway = GatewayConfig(upstreams={"default": Upstream(tls=UpstreamTls(ca_file="ca.pem"))})
    tls = Tls(key_file=str(tmp_path / "key.pem"), cert_file=str(tmp_path / "cert.pem"))
    secured = replace(environment, gateway=gateway, deploy=replace(environment.deploy, tls=tls))
    with served(secured, tmp_path) as server:
        assert (tmp_path / "files" / "ssl.config").stat().st_mode & 0o777 == 0o600
        credentials = grpc.ssl_channel_credentials((tmp_path / "cert.pem").read_bytes())
        port = server.grpc_address.rpartition(":")[2]
        with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
            grpc.channel_ready_future(channel).result(timeout=60)


def certify(folder: Path) -> None:
    """key.pem, and cert.pem for localhost that signs itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    days = (now - datetime.timedelta(1), now + datetime.timedelta(1))
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), *days)
    certificate = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
