"""Uploading the same again changes nothing, whatever happened before."""

from __future__ import annotations

import pytest

from configs.environment import Kubeflow
from pipeline.kubeflow.client import open_client
from pipeline.kubeflow.errors import RequestRefused, ServerUnavailable
from pipeline.kubeflow.package import read
from pipeline.kubeflow.upload import upload
from tests.fakes.kfp_api import FakeKfp, package_text

ONE, TWO = (read(package_text("taxi", comment), source="x") for comment in ("one", "two"))


@pytest.fixture
def server():
    with FakeKfp() as fake:
        yield fake


@pytest.fixture
def client(server):
    with open_client(Kubeflow(host=server.url), {}) as made:
        yield made


def test_first_a_pipeline_then_versions_of_it(client, server):
    assert [upload(client, package).change for package in (ONE, ONE, TWO, TWO, ONE)] == [
        "created", "unchanged", "updated", "unchanged", "unchanged",
    ]  # fmt: skip
    assert [each["display_name"] for each in server.pipelines.values()] == ["taxi"]
    assert [each["display_name"] for each in server.versions.values()] == [ONE.version, TWO.version]


def test_the_server_gets_the_content(client, server):
    upload(client, ONE)
    assert next(iter(server.versions.values()))["pipeline_spec"]["pipelineInfo"] == {"name": "taxi"}


def test_another_pipeline_is_left_alone(client, server):
    upload(client, ONE)
    assert upload(client, read(package_text("houses"), source="x")).change == "created"
    assert len(server.pipelines) == 2


def test_an_upload_that_broke_off_is_finished_by_the_next(client, server):
    server.fail("POST .*upload_version", 503)
    with pytest.raises(ServerUnavailable):
        upload(client, ONE)
    assert len(server.pipelines) == 1
    assert upload(client, ONE).change == "updated"
    assert len(server.pipelines) == 1


def test_an_answer_that_got_lost_makes_no_second_version(client, server):
    server.fail("POST .*upload_version", 502, after=True)
    with pytest.raises(ServerUnavailable):
        upload(client, ONE)
    assert upload(client, ONE).change == "unchanged"
    assert len(server.versions) == 1


@pytest.mark.parametrize("what", ["POST .*/pipelines$", "POST .*upload_version"])
def test_two_uploads_at_once_are_one_version(client, server, what):
    server.fail(what, 409, after=True)  # the other one was faster
    assert upload(client, ONE).version == ONE.version
    assert (len(server.pipelines), len(server.versions)) == (1, 1)


def test_a_conflict_with_nothing_there_is_told(client, server):
    server.fail("POST .*upload_version", 409)
    with pytest.raises(RequestRefused, match="409"):
        upload(client, ONE)
