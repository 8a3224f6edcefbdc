"""What a cluster refuses is one line, and never says anything of the model; what nobody needs any more is swept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serving.errors import LaunchError
from serving.launchers import cluster as module
from serving.launchers.cluster import Cluster, PassingError
from serving.launchers.owner import Owner
from serving.launchers.pod import manifest
from serving.launchers.target import Target
from tests.fakes import kubernetes_api

TARGET = Target("kubernetes", "image:1", namespace="ml", claim="models", mount="/models")


@pytest.fixture
def fake(tmp_path, monkeypatch):
    with kubernetes_api.cluster(tmp_path, {}) as running:
        running.write_kubeconfig(tmp_path / "config")
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
        yield running


@pytest.fixture
def asked(fake):  # noqa: ARG001 - it must be there first
    opened = Cluster(TARGET)
    yield opened
    opened.close()


def pod(name: str, owner: Owner | None = None, **metadata: str):
    made = manifest(TARGET, name, "taxi", "m", (owner or Owner.this_process()).labels(), None)
    return {**made, "metadata": {**made["metadata"], **metadata}}


def test_a_cluster_that_is_not_configured_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(LaunchError, match=r"no cluster is configured: .*see launchers\.kubernetes\.context"):
        Cluster(TARGET)


@pytest.mark.usefixtures("fake")
def test_a_context_that_is_not_there_is_told():
    with pytest.raises(LaunchError, match=r"no cluster is configured: .*moon"):
        Cluster(replace(TARGET, context="moon"))


def test_a_cluster_that_does_not_answer_is_told(tmp_path, monkeypatch):
    with kubernetes_api.cluster(tmp_path, {}) as gone:
        gone.write_kubeconfig(tmp_path / "config")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(LaunchError, match=rf"the cluster at {gone.url} cannot be reached: .*refused") as caught:
        Cluster(TARGET).sweep()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("status", "passing"), [(403, False), (401, False), (422, False), (500, True), (503, True), (429, True)])
def test_what_is_refused_is_told_with_the_clusters_words(fake, asked, status, passing):
    fake.refuse["POST .*"] = (status, 'pods is forbidden: User "u"\ncannot create it')
    with pytest.raises(LaunchError, match=r"refuses to create a pod in namespace ml: .*cannot create it") as caught:
        asked.create(pod("p"))
    assert isinstance(caught.value, PassingError) is passing
    assert ("launcher-rbac.yaml" in str(caught.value)) is (status in {401, 403})
    assert "\n" not in str(caught.value)


def test_what_is_not_there_is_no_error(asked):
    assert asked.read("none") is None
    assert asked.logs("none") == ""
    assert asked.delete("none") is False


def test_a_log_that_has_not_begun_is_empty(fake, asked):
    fake.refuse["GET .*/log"] = (400, "container is waiting to start")
    fake.add(pod("p"), run=False)
    assert asked.logs("p") == ""


def test_pods_of_processes_that_are_gone_are_swept(fake, asked):
    me = Owner.this_process()
    fake.add(pod("ours"), run=False)
    fake.add(pod("anothers", replace(me, host="elsewhere")), run=False)
    fake.add(pod("dead", replace(me, started=me.started - 100)), run=False)
    fake.add(pod("old", replace(me, host="elsewhere"), creationTimestamp="2020-01-01T00:00:00Z"), run=False)
    stranger = pod("stranger", creationTimestamp="2020-01-01T00:00:00Z")
    stranger["metadata"]["labels"] = {"app": "other"}
    fake.add(stranger, run=False)
    asked.sweep()
    assert sorted(fake.pods) == ["anothers", "ours", "stranger"]


def test_memory_is_what_the_metrics_say(fake, asked, monkeypatch):
    fake.add(pod("p"), run=False)
    monkeypatch.setattr(fake, "_memory", lambda _: 3 * 2**20)
    assert asked.memory("p") == 3 * 2**20


@pytest.fixture
def in_a_pod(tmp_path, monkeypatch):
    (tmp_path / "namespace").write_text("ml\n", encoding="utf-8")
    monkeypatch.setattr(module, "_NAMESPACE_FILE", tmp_path / "namespace")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    for name in ("POD_NAME", "POD_UID", "KFP_POD_NAME", "KFP_POD_UID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOSTNAME", "gate")


@pytest.mark.usefixtures("in_a_pod")
def test_the_pod_we_run_in_is_found_by_its_name(fake, asked):
    fake.add(pod("gate", uid="u-7"), run=False)
    assert asked.own_pod() == {"name": "gate", "uid": "u-7"}


@pytest.mark.usefixtures("in_a_pod")
def test_the_pod_we_run_in_may_be_told_by_the_environment(asked, monkeypatch):
    monkeypatch.setenv("KFP_POD_NAME", "step")
    monkeypatch.setenv("KFP_POD_UID", "u-8")
    assert asked.own_pod() == {"name": "step", "uid": "u-8"}


@pytest.mark.usefixtures("in_a_pod")
def test_a_pod_that_may_not_be_read_owns_nothing(fake, asked):
    fake.refuse["GET .*"] = (403, "no")
    assert asked.own_pod() is None


@pytest.mark.usefixtures("in_a_pod", "fake")
def test_a_pod_of_another_namespace_owns_nothing():
    assert Cluster(replace(TARGET, namespace="other")).own_pod() is None


def test_outside_a_cluster_there_is_no_owner(asked, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert asked.own_pod() is None
