"""Each way in which a server fails is one line, and says what to do."""

from __future__ import annotations

import socket

import httpx
import pytest

from configs.errors import ExitCode, SluicewayError
from pipeline.kubeflow.errors import NotKubeflow, RequestRefused, ServerUnavailable
from pipeline.kubeflow.transport import HttpTransport, Token
from tests.fakes.kfp_api import FakeKfp

SECRET = "s3cr3t-t0ken"
HEALTH = "/apis/v2beta1/healthz"


@pytest.fixture
def server():
    with FakeKfp() as fake:
        yield fake


def ask(server, token=None, timeout=5.0):
    transport = HttpTransport(server.url, token, timeout)
    try:
        return transport.GET(server.url + HEALTH)
    finally:
        transport.close()


def test_an_answer_is_what_the_generated_client_reads(server):
    answer = ask(server)
    assert (answer.status, answer.data, answer.getheader("content-type")) == (200, b'{"multi_user": false}', "application/json")
    assert "content-length" in answer.getheaders()


@pytest.mark.parametrize(
    ("status", "kind", "code", "says"),
    [
        (400, RequestRefused, ExitCode.USAGE, "refused (400): scripted"),
        (401, RequestRefused, ExitCode.USAGE, "does not know who asks (401); put a bearer token into an environment variable"),
        (403, RequestRefused, ExitCode.USAGE, "this is not allowed (403): scripted"),
        (404, RequestRefused, ExitCode.USAGE, "not found (404): scripted"),
        (409, RequestRefused, ExitCode.USAGE, "already exists (409): scripted"),
        (302, RequestRefused, ExitCode.USAGE, "sends to a login page (302); put a bearer token"),
        (408, ServerUnavailable, ExitCode.FAILURE, "could not answer (408): scripted"),
        (429, ServerUnavailable, ExitCode.FAILURE, "could not answer (429): scripted"),
        (500, ServerUnavailable, ExitCode.FAILURE, "could not answer (500): scripted"),
        (503, ServerUnavailable, ExitCode.FAILURE, "could not answer (503): scripted"),
    ],
)
def test_a_status_is_one_line(server, status, kind, code, says):
    server.fail("GET", status)
    with pytest.raises(kind) as caught:
        ask(server)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == code
    assert server.url in str(caught.value)


@pytest.mark.parametrize(
    ("status", "raw", "kind", "says"),
    [
        (200, b"<html>Welcome</html>", NotKubeflow, "is no Kubeflow Pipelines v2 API"),
        (404, b"<html>nginx</html>", NotKubeflow, "is no Kubeflow Pipelines v2 API"),
        (200, b'"a text"', NotKubeflow, "is no Kubeflow Pipelines v2 API"),
        (403, b"RBAC: access denied", RequestRefused, "this is not allowed (403): RBAC: access denied"),
        (502, b"<html>Bad Gateway</html>", ServerUnavailable, "could not answer (502)"),
        (500, b"", ServerUnavailable, "could not answer (500)"),
    ],
)
def test_what_is_no_document_of_the_api_is_told_as_that(server, status, raw, kind, says):
    server.fail("GET", status, raw=raw)
    with pytest.raises(kind, match=r"^http://127\.0\.0\.1") as caught:
        ask(server)
    assert says in str(caught.value)


def test_silence_ends_with_the_time_out(server):
    server.fail("GET", silent_seconds=0.5)
    with pytest.raises(ServerUnavailable, match=r"did not answer within 0\.1 s"):
        ask(server, timeout=0.1)


def test_nobody_there_is_told_with_the_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{free.getsockname()[1]}"
    transport = HttpTransport(host, None)
    with pytest.raises(ServerUnavailable, match=f"{host} cannot be reached: .*Connection refused"):
        transport.GET(host + HEALTH)
    transport.close()


def test_a_long_message_is_cut(server):
    server.fail("GET", 400, message="a very long\nstory " * 100)
    with pytest.raises(RequestRefused) as caught:
        ask(server)
    assert len(str(caught.value)) < 400


def test_the_token_is_sent_and_never_shown(server):
    server.token = SECRET
    token = Token(SECRET, "KFP_TOKEN")
    assert ask(server, token).status == 200
    assert SECRET not in repr(token)
    server.token = "another"
    with pytest.raises(RequestRefused, match=r"the token in \$KFP_TOKEN is not accepted") as caught:
        ask(server, token)
    assert SECRET not in str(caught.value)


def test_a_proxy_is_not_asked_for_this_machine(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert ask(server).status == 200


def test_library_errors_do_not_get_through(server, monkeypatch):
    def broken(*_, **__):
        raise httpx.RemoteProtocolError("peer closed connection\nwithout a word")

    monkeypatch.setattr(httpx.Client, "request", broken)
    with pytest.raises(ServerUnavailable, match="cannot be reached: peer closed connection without a word"):
        ask(server)


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_server_that_repeats_the_token_does_not_bring_it_into_the_message(server, status):
    server.fail("GET", status, message=f"Bearer {SECRET} is wrong")
    with pytest.raises(SluicewayError, match=r"Bearer \*\*\* is wrong"):
        ask(server, Token(SECRET, "KFP"))
