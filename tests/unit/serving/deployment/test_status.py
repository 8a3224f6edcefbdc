"""How a stack is, from the API's documents and the pods' own answers."""

from __future__ import annotations

import json

import pytest

from serving.deployment.status import Pod, Rollout, gateway_says, healthy, model_states, pods, rollouts

LABELS = {"app.kubernetes.io/part-of": "sluiceway"}


def deployment(**changes):
    status = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3} | changes
    template = {"spec": {"containers": [{"image": "tensorflow/serving:2.19.1"}]}}
    return {
        "kind": "Deployment",
        "metadata": {"name": "model-server", "generation": 2},
        "spec": {"replicas": 3, "template": template},
        "status": status,
    }


def pod(component="model-server", *, ready=True, phase="Running", waiting=None, **metadata):
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    return {
        "kind": "Pod",
        "metadata": {"name": f"{component}-x", "labels": LABELS | {"app.kubernetes.io/component": component}, **metadata},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"restartCount": 2, "state": state}],
        },
    }


@pytest.mark.parametrize(
    ("changes", "done"),
    [
        ({}, True),
        ({"updatedReplicas": 2}, False),
        ({"availableReplicas": 2}, False),
        ({"replicas": 4}, False),
        ({"observedGeneration": 1}, False),
    ],
)
def test_a_rollout_is_done_when_nothing_old_is_left_and_all_can_be_asked(changes, done):
    found = rollouts({"items": [deployment(**changes), pod()]})
    assert [rollout.done for rollout in found] == [done]
    assert (found[0].name, found[0].image, found[0].wanted) == ("model-server", "tensorflow/serving:2.19.1", 3)


def test_a_deployment_without_a_status_is_not_done():
    assert not rollouts({"items": [{"kind": "Deployment", "metadata": {"name": "x", "generation": 1}, "spec": {}}]})[0].done


@pytest.mark.parametrize(
    ("item", "trouble"),
    [
        (pod(), ""),
        (pod(waiting="CrashLoopBackOff"), "CrashLoopBackOff"),
        (pod(deletionTimestamp="2026-01-01T00:00:00Z"), "ending"),
        (pod(phase="Failed"), "Failed"),
        ({"kind": "Pod", "metadata": {"name": "x", "labels": {"app.kubernetes.io/component": "gateway"}}}, "unknown"),
    ],
)
def test_why_a_pod_does_not_run(item, trouble):
    assert pods({"items": [item]})[0].trouble == trouble


def test_a_pod_that_finds_no_machine_says_why():
    item = pod(phase="Pending")
    item["status"]["conditions"].append({"type": "PodScheduled", "status": "False", "message": "0/3 nodes: Insufficient cpu"})
    item["status"]["containerStatuses"] = []
    assert pods({"items": [item]})[0].trouble == "0/3 nodes: Insufficient cpu"


def test_pods_of_other_parts_are_left_out():
    found = pods({"items": [pod("launcher"), pod("model-server"), pod("gateway"), deployment()]})
    assert [(item.name, item.ready, item.restarts) for item in found] == [("gateway-x", True, 2), ("model-server-x", True, 2)]


def test_what_a_model_server_says():
    said = {
        "model_version_status": [
            {"version": "4", "state": "END", "status": {"error_code": "NOT_FOUND", "error_message": "no pb"}},
            {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}},
        ]
    }
    text = f"taxi\t{json.dumps(said)}\nleaves\t{json.dumps({'error': 'Could not find any versions'})}\nx\tgarbage\nempty\t\n"
    assert model_states(text) == {
        "taxi": "4 END: no pb, 3 AVAILABLE",
        "leaves": "Could not find any versions",
        "x": "garbage",
        "empty": "no answer",
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"ready": true, "upstreams": {"default": "ok"}}', "ready"),
        ('{"ready": true, "upstreams": {"default": "ok", "b": "cannot be reached"}}', "ready: b cannot be reached"),
        ('{"ready": false, "upstreams": {"default": "cannot be reached"}}', "not ready: default cannot be reached"),
        ('{"ready": false, "problem": "ending"}', "not ready: ending"),
        ("Bad  Gateway\n", "Bad Gateway"),
        ("{}", "{}"),
        ("[]", "[]"),
    ],
)
def test_what_a_gateway_says(text, says):
    assert gateway_says(text) == says


ROLLED = Rollout("x", "i", 1, 1, 1, 1, seen=True)


@pytest.mark.parametrize(
    ("deployments", "answers", "well"),
    [
        ([ROLLED], {"taxi": "3 AVAILABLE"}, True),
        ([ROLLED], {"taxi": "3 AVAILABLE", "leaves": "1 END: bad"}, False),
        ([ROLLED], {"taxi": "1 END: UNAVAILABLE: gs read failed"}, False),
        ([ROLLED], {"taxi": "4 END: no pb, 3 AVAILABLE"}, True),
        ([Rollout("x", "i", 2, 1, 1, 1, seen=True)], {"taxi": "3 AVAILABLE"}, False),
        ([], {}, False),
    ],
)
def test_all_is_well_when_all_is_rolled_out_and_available(deployments, answers, well):
    assert healthy(deployments, [Pod("a", "model-server", True, 0, "", answers)]) is well


@pytest.mark.parametrize(
    ("says", "well"), [("ready", True), ("not ready: default cannot be reached", False), ("not asked: kubectl exec: Forbidden", False)]
)
def test_a_gateway_that_reaches_no_model_server_is_not_well(says, well):
    assert healthy([ROLLED], [Pod("g", "gateway", True, 0, "", {"gateway": says})]) is well
