"""The pod's manifest: valid, restricted, read-only, and with an end of its own."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from serving.errors import LaunchError
from serving.launchers.pod import DEADLINE_SECONDS, manifest, place_on_volume
from serving.launchers.target import Target

TARGET = Target("kubernetes", "tensorflow/serving:2.19.1", ("--enable_batching",), "ml", None, "models", "/sluiceway", "server")


def pod(target=TARGET, owner=None):
    return manifest(target, "sluiceway-launch-1", "taxi", "state/model/3", {"sluiceway.launch": "1"}, owner)


@pytest.mark.parametrize("owner", [None, {"name": "gate", "uid": "u-1"}])
def test_it_is_valid(owner):
    validate = pytest.importorskip("kubernetes_validate")
    validate.validate(pod(owner=owner), "1.30", strict=True)


def test_it_ends_whatever_becomes_of_us():
    spec = pod()["spec"]
    assert (spec["activeDeadlineSeconds"], spec["restartPolicy"]) == (DEADLINE_SECONDS, "Never")
    assert DEADLINE_SECONDS > 3600 + 30, "more than the longest load that a configuration can allow"


def test_it_goes_with_the_pod_that_asked_for_it():
    assert pod(owner={"name": "gate", "uid": "u-1"})["metadata"]["ownerReferences"] == [
        {"apiVersion": "v1", "kind": "Pod", "name": "gate", "uid": "u-1"}
    ]
    assert "ownerReferences" not in pod()["metadata"]


def test_it_may_do_nothing_but_serve(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    spec = pod()["spec"]
    (container,) = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_it_sees_the_candidate_and_cannot_change_it():
    spec = pod()["spec"]
    mount = spec["containers"][0]["volumeMounts"][0]
    assert (mount["mountPath"], mount["subPath"], mount["readOnly"]) == ("/models/taxi/1", "state/model/3", True)
    assert spec["volumes"][0]["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}


def test_it_loads_once_with_the_production_flags():
    args = pod()["spec"]["containers"][0]["args"]
    assert "--max_num_load_retries=0" in args
    assert args[-1] == "--enable_batching"


def test_the_service_account_is_the_namespaces_own_unless_one_is_named():
    assert pod()["spec"]["serviceAccountName"] == "server"
    assert "serviceAccountName" not in pod(replace(TARGET, service_account=None))["spec"]


def test_the_candidates_place_is_its_path_below_the_mount(tmp_path):
    model = tmp_path / "state" / "model"
    model.mkdir(parents=True)
    (tmp_path / "link").symlink_to(model)
    assert place_on_volume(model, str(tmp_path)) == "state/model"
    assert place_on_volume(tmp_path / "link", str(tmp_path)) == "state/model"


def test_a_candidate_elsewhere_is_told(tmp_path):
    with pytest.raises(LaunchError, match=r"is not on the volume mounted at .*launchers\.kubernetes\.mount"):
        place_on_volume(tmp_path, str(tmp_path / "volume"))
