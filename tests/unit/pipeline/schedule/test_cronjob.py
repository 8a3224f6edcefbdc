"""The CronJob of a schedule: valid, the same each time, and no more rights than it needs."""

from __future__ import annotations

import json

import kubernetes_validate
import pytest
from msgspec import convert

from configs.environment import EnvironmentConfig
from configs.errors import UsageError
from pipeline.schedule.base import Schedule
from pipeline.schedule.cronjob import RESUMED, job_now, namespace, render

FULL = convert(
    {
        "launchers": {"kubernetes": {"namespace": "ml"}},
        "kubeflow": {
            "image": "registry/pipeline@sha256:1",
            "service_account": "trainer",
            "step": {"cpu": "1", "timeout_minutes": 10},
            "steps": {
                "Trainer": {
                    "cpu": "4",
                    "memory": "16Gi",
                    "accelerator": "nvidia.com/gpu",
                    "timeout_minutes": 60,
                    "node_selector": {"b": "2", "a": "1"},
                }
            },
            "env": {"B": "2", "A": "1"},
            "secrets": [{"name": "bucket", "keys": {"key": "BUCKET_KEY"}}],
            "volumes": [{"claim": "sluiceway", "path": "/sluiceway"}, {"claim": "data", "path": "/data"}],
        },
    },
    EnvironmentConfig,
)
SCHEDULE = Schedule("taxi", "taxi", "0 3 * * *", "kubeflow", "Europe/Berlin", overrides=("data.source=/data/*.csv",), stop_after_failures=5)


CLAIM = {"claim": "sluiceway", "path": "/sluiceway"}


@pytest.mark.parametrize(
    ("values", "there"),
    [
        ({"kubeflow": {"volumes": [CLAIM], "namespace": "default"}}, "default"),
        ({"kubeflow": {"volumes": [CLAIM]}, "launchers": {"kubernetes": {"namespace": "ml"}}}, "ml"),
        ({"kubeflow": {"volumes": [CLAIM], "namespace": "team"}, "launchers": {"kubernetes": {"namespace": "ml"}}}, "team"),
        ({}, "default"),
    ],
)
def test_it_is_in_the_namespace_that_is_named(values, there):
    assert namespace(convert(values, EnvironmentConfig)) == there


def test_a_claim_in_a_namespace_that_nobody_named_is_refused():
    with pytest.raises(UsageError, match=r"the claim 'sluiceway' .* --set kubeflow\.namespace=kubeflow"):
        namespace(convert({"kubeflow": {"volumes": [CLAIM]}}, EnvironmentConfig))


def pod_of(document):
    return document["spec"]["jobTemplate"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", ["1.27", "1.31", "1.34"])
@pytest.mark.parametrize("environment", [EnvironmentConfig(), FULL], ids=["bare", "full"])
def test_the_manifest_is_valid(version, environment):
    cron_job = render(SCHEDULE, environment)
    kubernetes_validate.validate(cron_job, version, strict=True)
    kubernetes_validate.validate(job_now({**cron_job, "metadata": {**cron_job["metadata"], "uid": "u"}}, "abc"), version, strict=True)


def test_the_manifest_is_the_same_each_time():
    assert json.dumps(render(SCHEDULE, FULL)) == json.dumps(render(SCHEDULE, FULL))


def test_what_is_asked_for_stands_in_it():
    document = render(SCHEDULE, FULL)
    spec, job = document["spec"], document["spec"]["jobTemplate"]["spec"]
    assert (document["metadata"]["name"], document["metadata"]["namespace"]) == ("taxi", "ml")
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"], spec["suspend"]) == (
        "0 3 * * *",
        "Europe/Berlin",
        "Forbid",
        False,
    )
    assert spec["failedJobsHistoryLimit"] == 5
    # Ten nodes of ten minutes, the trainer's hour, the jitter.
    assert (job["backoffLimit"], job["activeDeadlineSeconds"]) == (0, 10 * 600 + 3600 + 60)
    assert job["ttlSecondsAfterFinished"] > 0


def test_the_container_runs_one_beat_of_the_schedule_in_the_pipeline_image():
    (container,) = pod_of(render(SCHEDULE, FULL))["containers"]
    assert (container["image"], container["command"]) == ("registry/pipeline@sha256:1", ["sluiceway"])
    assert container["args"][:7] == ["schedule", "fire", "taxi", "--name", "taxi", "--env", "kubeflow"]
    assert container["args"][7:9] == ["--set", "data.source=/data/*.csv"]


def test_what_the_environment_gives_the_trainer_it_gets():
    pod = pod_of(render(SCHEDULE, FULL))
    (container,) = pod["containers"]
    assert pod["serviceAccountName"] == "trainer"
    assert pod["nodeSelector"] == {"a": "1", "b": "2"}
    assert container["resources"]["limits"] == {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/sluiceway", "/data"]
    assert [volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"]] == ["sluiceway", "data"]
    names = [variable["name"] for variable in container["env"]]
    assert names == ["SLUICEWAY_RESUMED", "A", "B", "BUCKET_KEY"]
    assert container["env"][3]["valueFrom"] == {"secretKeyRef": {"name": "bucket", "key": "key"}}


@pytest.mark.parametrize("environment", [EnvironmentConfig(), FULL], ids=["bare", "full"])
def test_the_container_has_no_rights_it_does_not_need(environment):
    pod = pod_of(render(SCHEDULE, environment))
    rights = pod["containers"][0]["securityContext"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert (rights["allowPrivilegeEscalation"], rights["privileged"], rights["capabilities"]) == (False, False, {"drop": ["ALL"]})


@pytest.mark.parametrize(
    ("cron", "seconds"),
    [("* * * * *", 60), ("*/5 8-18 * * *", 300), ("0 * * * *", 3600), ("0 3 * * *", 86400), ("0 3 * * 1", 86400), ("0 3,4 * * *", 3600)],
)
def test_a_missed_time_is_made_up_for_until_the_following_one(cron, seconds):
    schedule = Schedule("taxi", "taxi", cron)
    assert render(schedule, FULL)["spec"]["startingDeadlineSeconds"] == seconds


def test_what_a_cronjob_cannot_do_is_refused_with_the_way_out():
    with pytest.raises(UsageError, match="make two"):
        render(Schedule("taxi", "taxi", "0 3 * * *", trigger="both"), FULL)


def test_a_run_by_hand_is_the_templates_and_belongs_to_the_cronjob():
    cron_job = render(SCHEDULE, FULL)
    cron_job["metadata"]["uid"] = "u-1"
    job = job_now(cron_job, "abc")
    assert job["metadata"]["name"] == "taxi-now-abc"
    assert job["metadata"]["ownerReferences"][0]["uid"] == "u-1"
    assert job["spec"]["template"]["spec"]["containers"][0]["args"][-1] == "--asked"
    assert "--asked" not in pod_of(cron_job)["containers"][0]["args"]


def test_the_longest_name_leaves_room_for_a_jobs():
    cron_job = render(Schedule("x" * 52, "taxi", "0 3 * * *"), FULL)
    cron_job["metadata"]["uid"] = "u-1"
    assert len(job_now(cron_job, "abcdef")["metadata"]["name"]) == 63


def test_the_time_failures_were_forgiven_reaches_the_container():
    (variable, *_) = pod_of(render(SCHEDULE, FULL))["containers"][0]["env"]
    assert variable["valueFrom"]["fieldRef"]["fieldPath"] == f"metadata.annotations['{RESUMED}']"
