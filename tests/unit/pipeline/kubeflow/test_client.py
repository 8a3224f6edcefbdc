"""The client against a server that speaks the official client's own models."""

from __future__ import annotations

import pytest

from configs.environment import Kubeflow
from configs.errors import UsageError
from pipeline.kubeflow.client import host_of, open_client, token_of
from pipeline.kubeflow.errors import NotKubeflow, RequestRefused
from tests.fakes.kfp_api import FakeKfp, package_text


@pytest.fixture
def server():
    with FakeKfp() as fake:
        yield fake


@pytest.fixture
def client(server):
    with open_client(Kubeflow(host=server.url), {}) as made:
        yield made


def made_version(client, name="taxi"):
    pipeline = client.create_pipeline(name, "")
    return pipeline, client.upload_version(pipeline, f"{name}-1", package_text(name))


def test_an_address_without_a_scheme_is_refused_with_one_that_works():
    for host in ("localhost:8888", "ftp://kfp", "http://", "http://[::bad", "kfp"):
        with pytest.raises(UsageError, match="is no address; write it like http://localhost:8888"):
            host_of(Kubeflow(host=host))
    for host in (None, "", " "):
        with pytest.raises(UsageError, match="no address of Kubeflow Pipelines; give --host"):
            host_of(Kubeflow(host=host))


@pytest.mark.parametrize("host", ["http://kfp:8888", "http://kfp:8888/", "http://kfp:8888/#/"])
def test_an_address_as_copied_from_a_browser_is_understood(host):
    assert host_of(Kubeflow(host=host)) == "http://kfp:8888"


def test_the_token_comes_from_the_named_variable():
    assert token_of(Kubeflow(), {"KFP": "x"}) is None
    assert token_of(Kubeflow(token_env="KFP"), {"KFP": " abc\n"}).value == "abc"
    for environ in ({}, {"KFP": "  "}):
        with pytest.raises(UsageError, match="names KFP, which is not set; export"):
            token_of(Kubeflow(token_env="KFP"), environ)


@pytest.mark.parametrize("value", ["s3cr3t\nt0ken", "s3cr3t\x00", "s3cr3té", "s3cr3t\udcff", "s3cr3t\x7f"])
def test_a_token_that_no_header_can_carry_is_told_without_it(value):
    with pytest.raises(UsageError, match=r"^the token in \$KFP has a line break or other characters a header cannot carry") as caught:
        token_of(Kubeflow(token_env="KFP"), {"KFP": value})
    assert "s3cr3t" not in str(caught.value)


def test_a_token_in_the_place_of_its_name_is_not_shown():
    with pytest.raises(UsageError, match=r"^kubeflow\.token_env is not the name of an environment variable") as caught:
        token_of(Kubeflow(token_env="eyJhbGciOi.s3cr3t-x"), {})
    assert "eyJ" not in str(caught.value)
    with pytest.raises(UsageError, match=r"names abcd\.\.\., which is not set"):
        token_of(Kubeflow(token_env="abcd" * 10), {})


@pytest.mark.parametrize("host", ["https://me:s3cr3t@kfp/pipeline", "me:s3cr3t@kfp", "https://s3cr3t@kfp"])
def test_a_password_in_the_address_is_refused_without_showing_it(host):
    with pytest.raises(UsageError, match="holds a user or a password") as caught:
        host_of(Kubeflow(host=host))
    assert "s3cr3t" not in str(caught.value)


def test_a_server_of_several_users_needs_a_namespace(server):
    server.multi_user = True
    with pytest.raises(UsageError, match=r"serves several users: set kubeflow\.namespace"):
        open_client(Kubeflow(host=server.url), {})
    with open_client(Kubeflow(host=server.url, namespace="team"), {}) as client:
        assert client.find_experiment("none") is None
        client.experiment("mine")
    assert next(iter(server.experiments.values()))["namespace"] == "team"


def test_a_server_of_version_1_is_told_as_that(server):
    server.fail("healthz", 404, message="Not Found")
    with pytest.raises(NotKubeflow, match="has no API v2beta1: this needs Kubeflow Pipelines 2"):
        open_client(Kubeflow(host=server.url), {})


def test_names_are_found_over_all_pages(client, server):
    for number in range(5):
        server.experiments[str(number)] = {"experiment_id": str(number), "display_name": f"e{number}", "created_at": "2026-01-01T00:00:00Z"}
    assert client.find_experiment("e4") == "4"
    assert client.find_experiment("e5") is None


def test_an_experiment_is_made_once(client, server):
    assert client.experiment("sluiceway") == client.experiment("sluiceway")
    assert len(server.experiments) == 1


def test_a_run_is_started_and_read(client, server):
    pipeline, version = made_version(client)
    experiment = client.experiment("sluiceway")
    server.play({"state": "RUNNING", "run_details": {"task_details": [{"display_name": "plan", "state": "SUCCEEDED"}]}})
    run = client.create_run(
        display_name="taxi 1",
        experiment_id=experiment,
        pipeline_version_reference={"pipeline_id": pipeline, "pipeline_version_id": version},
        runtime_config={"parameters": {"data": "gs://trips", "thresholds": {"auc": 0.9}}},
    )
    sent = server.runs[run.run_id]
    assert sent["runtime_config"]["parameters"] == {"data": "gs://trips", "thresholds": {"auc": 0.9}}
    assert "service_account" not in sent
    seen = client.run(run.run_id)
    assert (seen.state, seen.run_details.task_details[0].display_name) == ("RUNNING", "plan")
    assert [each.run_id for each in client.runs(experiment)] == [run.run_id]
    assert client.run_url("r1") == f"{server.url}/#/runs/details/r1"


def test_recurring_runs_come_from_all_pages(client, server):
    pipeline, version = made_version(client)
    experiment = client.experiment("sluiceway")
    for number in range(3):
        client.create_recurring_run(
            display_name=f"n{number}",
            experiment_id=experiment,
            pipeline_version_reference={"pipeline_id": pipeline, "pipeline_version_id": version},
            trigger={"cron_schedule": {"cron": "0 0 3 * * *"}},
            max_concurrency="1",
            mode="ENABLE",
        )
    found = client.recurring_runs()
    assert [(each.display_name, each.enabled, each.trigger.cron_schedule.cron) for each in found] == [
        (f"n{number}", True, "0 0 3 * * *") for number in range(3)
    ]
    client.disable_recurring_run(found[0].recurring_run_id)
    client.delete_recurring_run(found[1].recurring_run_id)
    assert [each.enabled for each in client.recurring_runs()] == [False, True]
    client.enable_recurring_run(found[0].recurring_run_id)
    assert len(server.active()) == 2


def test_what_is_not_there_is_refused(client):
    with pytest.raises(RequestRefused, match="Run nope not found") as caught:
        client.run("nope")
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "raw", [b'{"run_id": "r", "created_at": "yesterday"}', b'{"state": "RUNNING"}', b'{"run_id": "r", "run_details": {"task_details": 5}}']
)
def test_a_document_that_cannot_be_read_is_told_as_that(client, server, raw):
    server.fail("GET .*/runs/r", 200, raw=raw)
    with pytest.raises(NotKubeflow, match=r"sent a (V2beta1)?Run that cannot be read"):
        client.run("r")


def test_fields_of_a_newer_server_are_passed_over(client, server):
    server.fail("GET .*/runs/r", 200, raw=b'{"run_id": "r", "state": "SUCCEEDED", "brand_new": {"a": 1}}')
    assert client.run("r").state == "SUCCEEDED"
