"""What becomes of a pod: what says something of the model is told from what does not, and the pod is always removed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from serving.errors import LaunchError, ServerDied
from serving.launchers import kubernetes as module
from serving.launchers.cluster import RIGHTS
from serving.launchers.kubernetes import KubernetesLauncher, remove
from serving.launchers.target import Target
from tests.fakes import kubernetes_api


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A cluster whose pods run nothing: their state is the test's."""
    (tmp_path / "volume" / "model").mkdir(parents=True)
    with kubernetes_api.cluster(tmp_path, {}) as running:
        running.write_kubeconfig(tmp_path / "config")
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "here")
        monkeypatch.setattr(running, "_run", lambda _: None)
        monkeypatch.setattr(module.reaper, "start", lambda *_: Reaper())
        monkeypatch.setattr(module, "_LOOK_SECONDS", 0)
        yield running


class Reaper:
    def terminate(self):
        pass

    def wait(self):
        pass


@pytest.fixture
def target(tmp_path):
    return Target("kubernetes", "image:1", namespace="ml", claim="models", mount=str(tmp_path / "volume"))


@pytest.fixture
def server(fake, target, tmp_path):
    with KubernetesLauncher(target).launch(tmp_path / "volume" / "model", model_name="taxi") as running:
        yield running
    assert fake.pods == {}


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"])
def test_an_image_that_cannot_be_had_is_no_refusal(fake, server, reason):
    fake.pods[server.name].state = {"waiting": {"reason": reason, "message": "no such\nimage"}}
    with pytest.raises(LaunchError, match=f"image:1: {reason}: no such image"):
        _ = server.rest_address


def test_a_pod_that_somebody_deleted_says_nothing_of_the_model(fake, server):
    del fake.pods[server.name]
    with pytest.raises(ServerDied, match="was deleted by somebody else"):
        _ = server.rest_address


def test_out_of_memory_is_told(fake, server):
    fake.pods[server.name].state = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    with pytest.raises(ServerDied, match="image:1: the model server was killed: out of memory"):
        _ = server.rest_address


def test_a_server_that_ended_is_told_with_its_code(fake, server):
    fake.pods[server.name].state = {"terminated": {"exitCode": 3, "reason": "Error"}}
    with pytest.raises(ServerDied, match="ended with code 3"):
        _ = server.rest_address


def test_an_api_that_fails_for_a_moment_is_asked_again(fake, server):
    fake.pods[server.name].state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    assert server.exit_code() is None
    fake.refuse["GET .*"] = (503, "later")
    assert server.exit_code() is None
    fake.refuse.clear()
    fake.pods[server.name].state = {"terminated": {"exitCode": 3, "reason": "Error"}}
    assert server.exit_code() == 3


def test_an_api_that_refuses_leaves_no_pod(fake, target, tmp_path):
    fake.refuse["POST .*"] = (403, "no")
    with pytest.raises(LaunchError, match="refuses to create a pod"):
        KubernetesLauncher(target).launch(tmp_path / "volume" / "model", model_name="taxi")
    assert fake.pods == {}


def test_a_cluster_that_does_not_let_us_look_is_told_ahead(fake, target):
    KubernetesLauncher(target).check()
    fake.refuse["GET .*"] = (403, "no")
    with pytest.raises(LaunchError, match="refuses to list pods"):
        KubernetesLauncher(target).check()


def test_a_candidate_off_the_volume_makes_no_pod(fake, target, tmp_path):
    with pytest.raises(LaunchError, match="is not on the volume"):
        KubernetesLauncher(replace(target, mount="/elsewhere")).launch(tmp_path / "volume" / "model", model_name="taxi")
    assert fake.created == []


def test_what_a_killed_process_left_can_be_removed_by_name(server, target):
    assert remove(target, server.name) is True
    assert remove(target, server.name) is False


def needed(method: str, path: str) -> tuple[str, str, str]:
    """Group, resource and verb of a call, as rights are written."""
    group, rest = re.fullmatch(r"/(?:api/v1|apis/([^/]+)/[^/]+)/namespaces/[^/]+/(.*)", path).groups()
    resource, *name = rest.split("/")
    verb = {"POST": "create", "DELETE": "delete", "GET": "get" if name else "list"}[method]
    return group or "", "/".join([resource, *name[1:]]), verb


def test_the_rights_that_are_shipped_are_those_it_takes(fake, server, target):
    """All of them are used, but for the port forwarding of a gate outside the cluster."""
    fake.pods[server.name].state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    fake.pods[server.name].root.joinpath("log").write_text("words", encoding="utf-8")
    assert server.exit_code() is None
    assert server.logs() == "words"
    assert server.resident_memory() == 0
    remove(target, server.name)
    documents = yaml.safe_load_all((Path(__file__).parents[4] / RIGHTS).read_text(encoding="utf-8"))
    (role,) = [document for document in documents if document["kind"] == "Role"]
    granted = {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted - {needed(*call) for call in fake.calls} == {("", "pods/portforward", "create"), ("", "pods/portforward", "get")}
    assert {needed(*call) for call in fake.calls} <= granted
