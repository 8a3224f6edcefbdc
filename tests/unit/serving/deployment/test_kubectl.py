"""kubectl as a program: what it is called with, and how its ends are told. A script that plays it stands in for it."""

from __future__ import annotations

import json
import sys

import pytest

from configs.errors import SluicewayError, UsageError
from serving.deployment.kubectl import Kubectl, _failed

PLAYER = """#!{python}
import json, os, sys
from pathlib import Path
here = Path(__file__).parent
with open(here / "calls", "a") as file: file.write(json.dumps(sys.argv[1:]) + chr(10))
script = json.loads((here / "script").read_text())
verb = next(word for word in sys.argv[1:] if not word.startswith("--"))
code, out, err = script.get(verb, [0, "", ""])
if verb == "diff" and os.environ.get("KUBECTL_EXTERNAL_DIFF"): code = 9
sys.stdout.write(out); sys.stderr.write(err); sys.exit(code)
"""


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Puts a kubectl on PATH that plays a script, verb to (code, stdout, stderr)."""
    program = tmp_path / "kubectl"
    program.write_text(PLAYER.replace("{python}", sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    def playing(**script):
        (tmp_path / "script").write_text(json.dumps(script))
        return lambda: [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]

    playing()
    return playing


def test_without_kubectl_there_is_a_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"kubectl is not on PATH: .* sluiceway deploy render"):
        Kubectl("sluiceway")


def test_only_a_difference_is_one(play, monkeypatch):
    monkeypatch.setenv("KUBECTL_EXTERNAL_DIFF", "less")
    calls = play(diff=(1, "+ new\n", ""))
    assert Kubectl("ns").diff("folder") == "+ new\n"
    assert calls() == [["diff", "--server-side", "--field-manager=sluiceway", "--kustomize=folder"]]
    play(diff=(0, "", ""))
    assert Kubectl("ns").diff("folder") == ""
    play(diff=(2, "", "error: no server\n"))
    with pytest.raises(SluicewayError, match="kubectl diff: error: no server"):
        Kubectl("ns").diff("folder")


def test_apply_tells_what_became_of_each(play):
    calls = play(apply=(0, "service/gateway serverside-applied\ndeployment.apps/gateway serverside-applied\n", "Warning: x\n"))
    assert Kubectl("ns", "prod").apply("folder") == ["service/gateway serverside-applied", "deployment.apps/gateway serverside-applied"]
    assert calls()[0][:2] == ["--context=prod", "apply"]


@pytest.mark.parametrize(
    ("kind", "way_out"),
    [("IngressRoute", "deploy.entrance.kind=ingress"), ("ServiceMonitor", "deploy.monitoring=false")],
)
def test_what_a_cluster_lacks_has_a_way_out(play, kind, way_out):
    play(
        apply=(
            1,
            "",
            f'error: resource mapping not found: no matches for kind "{kind}" in version "x/v1"\nensure CRDs are installed first\n',
        )
    )
    with pytest.raises(UsageError, match=way_out):
        Kubectl("ns").apply("folder")


def test_a_namespace_that_is_missing_is_named(play):
    play(get=(1, "", 'Error from server (NotFound): namespaces "ns" not found\n'))
    with pytest.raises(UsageError, match="kubectl create namespace ns"):
        Kubectl("ns").check_namespace()
    play(get=(1, "", "Unable to connect to the server: dial tcp\n"))
    with pytest.raises(SluicewayError, match="kubectl get: Unable to connect"):
        Kubectl("ns").check_namespace()


def test_objects_come_as_a_document(play):
    calls = play(get=(0, '{"items": []}', ""))
    assert Kubectl("ns").get(["pods", "deployments"], "a=b") == {"items": []}
    assert calls() == [["get", "pods,deployments", "--namespace=ns", "--selector=a=b", "--output=json"]]
    play(get=(0, "<html>", ""))
    with pytest.raises(SluicewayError, match="no JSON: '<html>'"):
        Kubectl("ns").get(["pods"], "a=b")


def test_a_command_runs_inside_a_container(play):
    calls = play(exec=(0, "said", ""))
    assert Kubectl("ns").execute("pod-1", "gateway", ["cat", "x"]) == "said"
    assert calls() == [["exec", "--namespace=ns", "pod-1", "--container=gateway", "--", "cat", "x"]]
    play(exec=(1, "", "Error from server (Forbidden): no\n"))
    with pytest.raises(SluicewayError, match=r"kubectl exec: Error from server \(Forbidden\)"):
        Kubectl("ns").execute("pod-1", "gateway", ["cat", "x"])


def test_the_context_is_the_given_one_or_the_current(play):
    play(config=(0, "kind-local\n", ""))
    assert Kubectl("ns").context() == "kind-local"
    assert Kubectl("ns", "prod").context() == "prod"


def test_a_conflict_is_told_by_its_cause():
    said = 'error: Apply failed with 1 conflict: conflict with "helm" using apps/v1: .spec.replicas\nPlease review the fields above.\n'
    assert 'conflict with "helm" using apps/v1: .spec.replicas' in str(_failed("apply", said))
