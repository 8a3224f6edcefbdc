"""The commands serving-config and deploy, on a store of their own and a cluster that is played."""

from __future__ import annotations

import json
import sys

import pytest

from configs.errors import SluicewayError
from pipeline.cli.main import cli
from serving import cli_deploy
from serving.cli_frame import run_command
from serving.deployment import kubectl, kustomization, stack
from serving.store.local import LocalStore
from serving.store.manifest import Identity


@pytest.fixture
def call(tmp_path, capsys):
    """Runs a command on a store below tmp_path: (exit code, stdout, stderr)."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            run_command(cli, [*arguments, "--set", f"state={tmp_path / 'state'}"])
        return caught.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def published(tmp_path):
    (model := tmp_path / "model").mkdir()
    (model / "saved_model.pb").write_bytes(b"graph")
    LocalStore(tmp_path / "state" / "store").publish("taxi", model, Identity("run", "taxi"))


class Cluster:
    """A cluster in memory that remembers what was done to it."""

    objects: dict = {"items": []}  # noqa: RUF012 - set by each test
    difference = "+ new\n"

    def __init__(self, namespace, context=None):
        self.namespace, self._context = namespace, context
        type(self).applied = []

    def context(self):
        return self._context or "kind-here"

    def check_namespace(self):
        pass

    def diff(self, _):
        return self.difference

    def apply(self, folder):
        self.applied.append(folder)
        return ["deployment.apps/gateway serverside-applied"]

    def get(self, *_):
        return self.objects

    def execute(self, pod, container, _):
        if pod == "silent":
            raise SluicewayError("kubectl exec: Forbidden")
        answer = {"model_version_status": [{"version": "1", "state": "AVAILABLE"}]}
        return f"taxi\t{json.dumps(answer)}\n" if container == "model-server" else '{"ready": true, "upstreams": {"default": "ok"}}'


@pytest.fixture
def cluster(monkeypatch):
    monkeypatch.setattr(kubectl, "Kubectl", Cluster)
    monkeypatch.setattr(Cluster, "difference", "+ new\n")
    return Cluster


def test_the_overlays_are_those_that_can_be_rendered():
    assert cli_deploy.OVERLAYS == stack.OVERLAYS
    assert cli_deploy.CLUSTER_OVERLAYS == kustomization.OVERLAYS


@pytest.mark.usefixtures("published")
def test_files_for_tf_serving_are_written_and_the_next_command_told(call, tmp_path):
    code, out, err = call("serving-config", "-o", str(tmp_path / "out"))
    assert (code, out) == (0, f"{tmp_path / 'out'}: 3 files for taxi; 3 changed\n")
    assert f"next tensorflow_model_server --port=8500 --rest_api_port=8501 --model_config_file={tmp_path / 'out'}/models.config" in err


@pytest.mark.usefixtures("published")
def test_as_json_it_is_one_document(call, tmp_path):
    code, out, err = call("serving-config", "taxi", "-o", str(tmp_path / "out"), "--json", "--set", "deploy.models.taxi.labels={next: 9}")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["models"] == [{"name": "taxi", "latest": 2, "versions": [], "labels": {}}]
    assert found["changed"] == ["batching.config", "models.config", "monitoring.config"]
    assert "version 9 is not published" in found["notes"][0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serving-config", "-o", "OUT"], "no model is published"),
        (["serving-config", "digits", "-o", "OUT"], "digits has no published version here"),
        (
            ["serving-config", "digits", "-o", "OUT", "--unseen", "--base-path", "models"],
            "--base-path models: TF Serving takes an absolute path",
        ),
        (["deploy", "render", "digits", "--unseen", "--overlay", "production", "-o", "OUT"], "deploy.entrance.host is null"),
        (["deploy", "render", "--overlay", "moon"], "'moon' is not one of"),
        (["deploy", "render", "digits", "--unseen", "--set", "deploy.storage.bucket=s3://x"], "reads no s3://"),
        (["deploy", "apply"], "nobody is there to ask: --yes"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(call, tmp_path, arguments, message):
    code, out, err = call(*[part.replace("OUT", str(tmp_path / "out")) for part in arguments])
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("published")
def test_what_was_changed_by_hand_is_kept_until_force(call, tmp_path):
    out = str(tmp_path / "out")
    call("serving-config", "-o", out)
    (tmp_path / "out" / "models.config").write_text("mine")
    code, _, err = call("serving-config", "-o", out)
    assert code == 2
    assert "--force replaces it" in err
    assert call("serving-config", "-o", out, "--force")[0] == 0


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("overlay", "way"), [("local", "kubectl apply --server-side --field-manager=sluiceway -k"), ("compose", "docker compose -f")]
)
def test_a_stack_is_written_below_the_state_folder(call, tmp_path, overlay, way):
    code, out, err = call("deploy", "render", "--overlay", overlay)
    assert code == 0
    assert out.startswith(f"{tmp_path / 'state' / 'deploy' / overlay}: ")
    assert f"next {way}" in err


@pytest.mark.usefixtures("published")
def test_apply_shows_what_changes_and_changes_it(call, cluster):
    code, out, err = call("deploy", "apply", "--yes")
    assert (code, out) == (0, "+ new\ndeployment.apps/gateway serverside-applied\n")
    assert "next sluiceway deploy status" in err
    assert len(cluster.applied) == 1


@pytest.mark.usefixtures("published")
def test_apply_changes_nothing_when_nothing_differs(call, cluster, monkeypatch):
    monkeypatch.setattr(cluster, "difference", "")
    code, out, _ = call("deploy", "apply", "--yes", "--context", "prod")
    assert (code, out, cluster.applied) == (0, "nothing to change: prod, namespace sluiceway\n", [])


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(("answer", "code", "times"), [("y\n", 0, 1), ("n\n", 2, 0)])
def test_a_person_is_asked(call, cluster, monkeypatch, answer, code, times):
    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("click.confirm", lambda *_, **__: answer == "y\n")
    assert call("deploy", "apply")[0] == code
    assert len(cluster.applied) == times


@pytest.mark.usefixtures("published")
def test_apply_as_json_is_one_document(call, cluster):
    code, out, _ = call("deploy", "apply", "--yes", "--json")
    assert code == 0
    assert json.loads(out) == {
        "context": "kind-here",
        "namespace": "sluiceway",
        "diff": "+ new\n",
        "applied": ["deployment.apps/gateway serverside-applied"],
    }
    assert cluster.applied


def test_a_folder_can_be_applied_as_it_is_where_it_says(call, cluster, tmp_path):
    (tmp_path / "kustomization.yaml").write_text("namespace: elsewhere\n")
    code, out, _ = call("deploy", "apply", "--yes", "--json", "--from", str(tmp_path))
    assert (code, json.loads(out)["namespace"]) == (0, "elsewhere")
    assert cluster.applied == [str(tmp_path)]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["taxi"], "it is applied as it is; models, --overlay and --unseen are for render"),
        (["--overlay", "local"], "it is applied as it is"),
        (["--unseen"], "it is applied as it is"),
        ([], "no kustomization.yaml with a namespace; write one: sluiceway deploy render -o"),
    ],
)
def test_a_folder_and_what_it_cannot_mean(call, cluster, tmp_path, more, told):
    cluster.applied = []
    code, _, err = call("deploy", "apply", "--yes", "--from", str(tmp_path), *more)
    assert code == 2
    assert told in err
    assert not cluster.applied


def _objects(**status):
    labels = {"app.kubernetes.io/component": "model-server"}
    pod_status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return {
        "items": [
            {
                "kind": "Deployment",
                "metadata": {"name": "model-server"},
                "spec": {"replicas": 1, "template": {"spec": {"containers": [{"image": "s:1"}]}}},
                "status": {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1} | status,
            },
            {"kind": "Pod", "metadata": {"name": "model-server-1", "labels": labels}, "status": pod_status},
            {"kind": "Pod", "metadata": {"name": "gateway-1", "labels": {"app.kubernetes.io/component": "gateway"}}, "status": pod_status},
        ]
    }


def test_status_tells_rollouts_pods_and_what_each_answers(call, cluster, monkeypatch):
    monkeypatch.setattr(cluster, "objects", _objects())
    code, out, _ = call("deploy", "status")
    assert code == 0
    assert "model-server   1 of 1 available, 1 new  done  s:1" in out
    assert "    taxi: 1 AVAILABLE" in out
    assert "    gateway: ready" in out


def test_status_ends_with_one_when_something_is_amiss(call, cluster, monkeypatch):
    monkeypatch.setattr(cluster, "objects", _objects(availableReplicas=0))
    code, out, _ = call("deploy", "status", "--json")
    found = json.loads(out)
    assert (code, found["well"], found["rollouts"][0]["done"]) == (1, False, False)


def test_a_pod_that_cannot_be_asked_is_shown_all_the_same(call, cluster, monkeypatch):
    objects = _objects()
    objects["items"][1]["metadata"]["name"] = "silent"
    monkeypatch.setattr(cluster, "objects", objects)
    code, out, _ = call("deploy", "status")
    assert code == 1
    assert "model-server: not asked: kubectl exec: Forbidden" in out


def test_a_cluster_without_the_stack_says_so(call, cluster, monkeypatch):
    monkeypatch.setattr(cluster, "objects", {"items": []})
    code, _, err = call("deploy", "status")
    assert code == 2
    assert "nothing of ours is in namespace sluiceway of kind-here" in err
