"""``doctor --on kubeflow``: a line for each thing, and what to do where it is missing."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml

from pipeline.cli import doctor
from pipeline.cli.main import cli
from serving.cli_frame import run_command
from tests.fakes.kfp_api import FakeKfp


@pytest.fixture
def server():
    with FakeKfp() as fake:
        yield fake


@pytest.fixture(autouse=True)
def no_kubeconfig(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))


@pytest.fixture
def call(capsys, server):
    """Runs doctor: (exit code, findings by name)."""

    def run(*arguments, host=None):
        with pytest.raises(SystemExit) as caught:
            run_command(cli, ["doctor", "--on", "kubeflow", "--host", host or server.url, "--json", *arguments])
        document = json.loads(capsys.readouterr().out)
        return caught.value.code, {finding["name"]: finding for finding in document["findings"]}

    return run


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A Kubernetes API that knows what is put into it, and a kubeconfig that leads there."""
    there = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, document = there.get(self.path, (404, {"kind": "Status", "code": 404}))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_):
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    address = f"http://127.0.0.1:{http.server_address[1]}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": {}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(path))
    yield there
    http.shutdown()
    http.server_close()


def claim(name="sluiceway", namespace="kubeflow"):
    return f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}"


def test_an_installation_that_has_everything_is_healthy(call, server):
    code, findings = call()
    assert code == 0
    assert list(findings) == ["python", "kubeflow", "server", "namespace", "access", "experiment", "image", "store", "volume"]
    assert findings["server"]["found"] == f"{server.url}, API v2beta1, a single user"
    assert findings["experiment"]["found"] == "sluiceway is not there yet; the first submit makes it"
    assert findings["volume"]["found"] == "sluiceway (not looked at: no kubeconfig here)"


def test_looking_makes_nothing(call, server):
    call()
    assert {method for method, _ in server.requests} == {"GET"}


def test_a_missing_package_is_named_with_the_way_to_get_it(call, monkeypatch):
    def version(asked):
        if asked == "kfp":
            raise doctor.metadata.PackageNotFoundError(asked)
        return "1.0"

    monkeypatch.setattr(doctor.metadata, "version", version)
    code, findings = call()
    assert code == 1
    assert findings["kubeflow"]["found"] == "not installed: kfp"
    assert findings["kubeflow"]["advice"] == "pip install 'sluiceway[kubeflow]'"
    assert "server" not in findings


@pytest.mark.parametrize(
    ("status", "name", "found"),
    [(401, "server", "does not know who asks (401)"), (404, "server", "has no API v2beta1"), (500, "server", "could not answer (500)")],
)
def test_a_server_that_says_no_is_a_finding(call, server, status, name, found):
    server.fail("healthz", status)
    code, findings = call()
    assert code == 1
    assert found in findings[name]["found"]
    assert findings[name]["advice"]
    assert "access" not in findings


@pytest.mark.parametrize(("host", "found"), [("http://127.0.0.1:1", "cannot be reached"), ("localhost:8888", "is no address")])
def test_an_address_that_leads_nowhere_is_a_finding(call, host, found):
    code, findings = call(host=host)
    assert code == 1
    assert found in findings["server"]["found"]


def test_health_is_open_to_all_but_access_is_not(call, server, monkeypatch):
    server.fail("experiments", 403, message="user cannot list experiments")
    code, findings = call()
    assert code == 1
    assert findings["server"]["ok"]
    assert "not allowed (403): user cannot list experiments" in findings["access"]["found"]
    server.token = "abc"
    monkeypatch.setenv("KFP", "abc")
    code, findings = call("--set", "kubeflow.token_env=KFP")
    assert (code, findings["access"]["found"]) == (0, "accepted with the token in $KFP")


def test_a_token_that_nobody_asked_for_is_not_called_right(call, monkeypatch):
    monkeypatch.setenv("KFP", "abc")
    code, findings = call("--set", "kubeflow.token_env=KFP")
    told = "accepted, also without a token: whether the one in $KFP is right is not known"
    assert (code, findings["access"]["found"]) == (0, told)


def test_what_was_not_looked_at_is_neither_there_nor_missing(call, capsys, server):
    code, findings = call()
    assert (code, findings["volume"]["ok"], findings["server"]["ok"]) == (0, None, True)
    with pytest.raises(SystemExit):
        run_command(cli, ["doctor", "--on", "kubeflow", "--host", server.url])
    assert "\n?    volume      sluiceway (not looked at: no kubeconfig here)\n" in capsys.readouterr().out


def test_a_server_of_several_users_needs_a_namespace(call, server):
    server.multi_user = True
    code, findings = call()
    assert code == 1
    assert findings["namespace"]["advice"] == "set kubeflow.namespace to your profile's"
    code, findings = call("--set", "kubeflow.namespace=team")
    assert (code, findings["namespace"]["found"]) == (0, "team")


@pytest.mark.parametrize(
    ("image", "ok"),
    [
        ("team/pipeline:1.2", True),
        ("registry:5000/team/pipeline@sha256:abc", True),
        ("team/pipeline", False),
        ("team/pipeline:latest", False),
        ("registry:5000/team/pipeline", False),
    ],
)
def test_an_image_that_changes_under_its_name_is_a_finding(call, image, ok):
    assert call("--set", f"kubeflow.image={image}")[1]["image"]["ok"] is ok


def test_a_store_that_goes_with_its_container_is_a_finding(call):
    code, findings = call("--set", "store.path=/tmp/store")
    assert code == 1
    assert "lies on no volume" in findings["store"]["found"]


def test_a_step_that_there_is_not_is_no_matter_of_the_store(call):
    code, findings = call("--set", "kubeflow.steps.Nope.cpu=1")
    assert (code, "store" in findings) == (1, False)
    assert "kubeflow.steps.Nope: no such step" in findings["settings"]["found"]


def test_the_cluster_is_asked_for_what_the_steps_need(call, cluster):
    cluster[claim()] = (200, {"metadata": {"name": "sluiceway"}})
    cluster["/api/v1/namespaces/kubeflow/secrets/keys"] = (200, {"data": {"a": "eA=="}})
    needs = ["--set", "kubeflow.service_account=runner", "--set", "kubeflow.secrets=[{name: keys, keys: {a: A}}]"]
    code, findings = call(*needs)
    assert code == 1
    assert findings["volume"]["found"] == "sluiceway in namespace kubeflow"
    assert findings["secret"]["found"] == "keys in namespace kubeflow, 1 keys"
    assert findings["account"]["found"] == "runner in namespace kubeflow is not there"
    assert findings["account"]["advice"].startswith("make the service account")


def test_the_namespace_of_a_profile_is_where_its_steps_run(call, cluster):
    cluster[claim(namespace="team")] = (200, {})
    assert call("--set", "kubeflow.namespace=team")[1]["volume"]["found"] == "sluiceway in namespace team"


def test_what_may_not_be_read_is_not_called_missing(call, cluster):
    cluster[claim()] = (403, {"kind": "Status"})
    code, findings = call()
    assert code == 0
    assert findings["volume"]["ok"] is None
    assert "not looked at: the cluster answers 403" in findings["volume"]["found"]


def test_a_cluster_that_is_not_there_is_said(call, monkeypatch, tmp_path):
    config = tmp_path / "broken"
    config.write_text("{}")
    monkeypatch.setenv("KUBECONFIG", str(config))
    assert "not looked at: the kubeconfig cannot be used" in call()[1]["volume"]["found"]
