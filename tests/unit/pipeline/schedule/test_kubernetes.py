"""Schedules on a cluster: the same verbs, in place, against an API server over real HTTP."""

from __future__ import annotations

import json

import pytest

from configs.environment import EnvironmentConfig
from configs.errors import SluicewayError, UsageError
from pipeline.schedule import cluster
from pipeline.schedule.base import Place, Schedule
from pipeline.schedule.kubernetes import KubernetesScheduler
from tests.fakes.kubernetes_cron_api import FakeKubernetes
from tests.unit.pipeline.schedule.conftest import Clock


@pytest.fixture
def api(tmp_path, monkeypatch):
    fake = FakeKubernetes(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(fake.kubeconfig))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    yield fake
    fake.close()


@pytest.fixture
def scheduler(api):  # noqa: ARG001 - the cluster it talks to
    return KubernetesScheduler(Place("kubeflow", EnvironmentConfig()), now=Clock())


def taxi(cron="0 3 * * *", name="taxi", **fields):
    return Schedule(name, "taxi", cron, "kubeflow", **fields)


def words(kind, text):
    return json.dumps({"kind": kind, "text": text})


def test_set_makes_changes_and_leaves_alone(api, scheduler):
    assert scheduler.set(taxi()) == "created"
    assert scheduler.set(taxi()) == "unchanged"
    uid = api.cron_job()["metadata"]["uid"]
    assert scheduler.set(taxi("0 4 * * *")) == "updated"
    assert (api.cron_job()["spec"]["schedule"], api.cron_job()["metadata"]["uid"]) == ("0 4 * * *", uid)
    (status,) = scheduler.list()
    assert status.schedule == taxi("0 4 * * *")
    assert status.next_run.isoformat() == "2026-11-21T04:00:00+00:00"


def test_another_image_is_a_change_too(api, scheduler):
    scheduler.set(taxi())
    newer = KubernetesScheduler(Place("kubeflow", _with_image("new:2")))
    assert newer.set(taxi()) == "updated"
    assert "new:2" in json.dumps(api.cron_job())


def _with_image(image):
    from msgspec import convert

    return convert({"kubeflow": {"image": image}}, EnvironmentConfig)


def test_pause_and_resume_may_be_repeated_and_survive_a_change(api, scheduler):
    scheduler.set(taxi())
    for _ in range(2):
        scheduler.pause("taxi")
        (status,) = scheduler.list()
        assert (status.paused, status.reason, status.next_run) == (True, "asked for", None)
    scheduler.set(taxi("0 5 * * *"))
    assert api.cron_job()["spec"]["suspend"] is True
    assert scheduler.list()[0].reason == "asked for"
    for _ in range(2):
        scheduler.resume("taxi")
        (status,) = scheduler.list()
        assert (status.paused, status.reason) == (False, "")


def test_resume_reaches_the_container_and_survives_a_change(api, scheduler):
    scheduler.set(taxi())
    scheduler.resume("taxi")
    scheduler.set(taxi("0 5 * * *"))
    template = api.cron_job()["spec"]["jobTemplate"]["spec"]["template"]
    assert template["metadata"]["annotations"] == {"sluiceway/resumed": "2026-11-20T12:00:00+00:00"}
    assert scheduler.set(taxi("0 5 * * *")) == "unchanged"


def test_a_run_by_hand_is_a_job_of_the_cronjob_and_one_at_a_time(api, scheduler):
    scheduler.set(taxi())
    said = scheduler.run_now("taxi")
    ((_, _, name),) = [key for key in api.objects if key[0] == "jobs"]
    assert f"job {name}" in said
    api.objects["jobs", "default", name]["status"] = {"active": 1}
    assert scheduler.run_now("taxi") == f"taxi: a run is under way already: job {name}"
    assert scheduler.list()[0].details["running"] == name


def test_delete_leaves_the_run_under_way_alone(api, scheduler):
    scheduler.set(taxi())
    scheduler.run_now("taxi")
    scheduler.delete("taxi")
    assert [key[0] for key in api.objects] == ["jobs"]


def test_the_newest_run_is_told_in_its_own_words(api, scheduler):
    scheduler.set(taxi())
    api.job("taxi-1", at="2026-11-18T03:00:00Z", words=words("ok", "live v1"))
    api.job("taxi-2", at="2026-11-19T03:00:00Z", words=words("ok", "refused by evaluator: auc 0.6 is below 0.7"))
    api.job("other-1", of="other", at="2026-11-20T03:00:00Z", end="Failed")
    (status,) = scheduler.list()
    assert (status.last, status.failures) == ("refused by evaluator: auc 0.6 is below 0.7", 0)
    assert status.last_run.isoformat() == "2026-11-19T03:00:00+00:00"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "failed: DeadlineExceeded: Job was active longer than specified deadline"),
        ("Traceback\nMemoryError", "Traceback MemoryError"),
        (words("failed", "failed: no space left"), "failed: no space left"),
    ],
)
def test_failed_runs_are_counted_and_told_whatever_is_left_of_them(api, scheduler, said, told):
    scheduler.set(taxi())
    api.job("taxi-1", at="2026-11-17T03:00:00Z")
    api.job("taxi-2", at="2026-11-18T03:00:00Z", end="Failed")
    api.job(
        "taxi-3",
        at="2026-11-19T03:00:00Z",
        end="Failed",
        words=said,
        reason="DeadlineExceeded",
        message="Job was active longer than specified deadline",
    )
    (status,) = scheduler.list()
    assert (status.last, status.failures, status.paused) == (told, 2, False)


def test_a_schedule_that_stopped_itself_is_paused_with_its_reason_until_it_is_resumed(api, scheduler):
    scheduler.set(taxi())
    api.job("taxi-3", at="2026-11-19T03:00:00Z", end="Failed", words=words("paused", "paused: 3 failed runs in a row"))
    (status,) = scheduler.list()
    assert (status.paused, status.reason, status.next_run) == (True, "paused: 3 failed runs in a row", None)
    scheduler.resume("taxi")
    (status,) = scheduler.list()
    assert (status.paused, status.failures) == (False, 0)


def test_a_damaged_schedule_is_listed_as_that_and_the_others_as_ever(api, scheduler):
    scheduler.set(taxi())
    scheduler.set(taxi(name="homes"))
    api.cron_job()["metadata"]["annotations"]["sluiceway/document"] = '{"name": "taxi"}'
    homes, broken = scheduler.list()
    assert homes.next_run is not None
    assert "damaged" in broken.reason


def test_somebody_elses_cronjob_is_left_alone(api, scheduler):
    theirs = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}}}
    api.put("cronjobs", {"metadata": {"name": "taxi"}, "spec": theirs})
    assert scheduler.list() == []
    for act in (lambda: scheduler.set(taxi()), lambda: scheduler.delete("taxi"), lambda: scheduler.pause("taxi")):
        with pytest.raises(UsageError):
            act()
    assert api.cron_job()["spec"] == theirs


@pytest.mark.parametrize("verb", ["pause", "resume", "run_now", "delete"])
def test_an_unknown_name_is_told_with_those_there_are(scheduler, verb):
    scheduler.set(taxi(name="homes"))
    with pytest.raises(UsageError, match=r"no schedule 'taxi' in namespace default; there are: homes"):
        getattr(scheduler, verb)("taxi")


def test_a_change_of_somebody_else_in_between_is_taken_up(api, scheduler):
    scheduler.set(taxi())
    api.before_write = lambda: scheduler_pauses(api)
    assert scheduler.set(taxi("0 5 * * *")) == "updated"
    assert (api.cron_job()["spec"]["schedule"], api.cron_job()["spec"]["suspend"]) == ("0 5 * * *", True)


def scheduler_pauses(api):
    api.cron_job()["spec"]["suspend"] = True
    api.put("cronjobs", api.cron_job())


def test_two_that_make_it_at_once_end_with_one(api, scheduler):
    api.before_write = lambda: KubernetesScheduler(Place("kubeflow", EnvironmentConfig())).set(taxi())
    assert scheduler.set(taxi()) == "unchanged"


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (401, UsageError, "not logged in (401)"),
        (403, UsageError, "not allowed (403)"),
        (404, UsageError, "not found (404)"),
        (409, SluicewayError, "conflict (409)"),
        (422, UsageError, "refused by the cluster (422)"),
        (429, SluicewayError, "failed (429)"),
        (500, SluicewayError, "failed (500)"),
        (503, SluicewayError, "failed (503)"),
    ],
)
def test_a_failure_of_the_api_is_one_line(api, scheduler, status, kind, told):
    api.fail("POST", status, times=3)
    with pytest.raises(SluicewayError) as caught:
        scheduler.set(taxi())
    assert type(caught.value).exit_code == kind.exit_code
    assert str(caught.value).startswith("cannot create CronJob taxi in namespace default: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_api_that_does_not_answer_in_time_is_told(api, scheduler, monkeypatch):
    monkeypatch.setattr(cluster, "_TIMEOUT", (0.2, 0.2))
    api.fail("GET", 0.6)
    with pytest.raises(SluicewayError, match=r"the Kubernetes API does not answer: .*timed out"):
        scheduler.list()


def test_an_api_that_is_not_there_is_told(api, scheduler):
    api.close()
    with pytest.raises(SluicewayError, match=r"the Kubernetes API does not answer: .*refused"):
        scheduler.list()


@pytest.mark.parametrize("kubeconfig", ["missing", "broken"])
def test_no_cluster_is_told(tmp_path, monkeypatch, kubeconfig):
    (tmp_path / "broken").write_text("{", encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / kubeconfig))
    with pytest.raises(UsageError, match="no Kubernetes cluster is configured"):
        KubernetesScheduler(Place("kubeflow", EnvironmentConfig())).list()


def test_making_a_scheduler_asks_nobody(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    KubernetesScheduler(Place("kubeflow", EnvironmentConfig()))
