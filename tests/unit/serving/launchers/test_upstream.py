"""A server whose ports open when the model is there: its log tells a refusal from a slow model and from a server that never came up."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import SluicewayError
from serving.errors import LaunchTimeout, ModelLoadError, ServerDied, Unavailable
from serving.launchers import upstream
from serving.launchers.target import Target
from serving.launchers.upstream import UpstreamLauncher, UpstreamServer, load_flags
from serving.protocol.status import Code, State, VersionStatus

BEGAN = "2026-07-30 12:00:00.0: I loader_harness.cc:95] Loading servable version {name: m version: 1}\n"
LOADED = "2026-07-30 12:00:01.5: I loader_harness.cc:95] Successfully loaded servable version {name: m version: 1}\n"
REFUSED = (
    "Failed to start server. Error: UNKNOWN: 1 servable(s) did not become available: {{name: m version: 1} due to error: NO: /in/1, }\n"
)


class Server(UpstreamServer):
    """A server as the test describes it."""

    start_seconds = 0.05
    poll_seconds = 0.01

    def __init__(self, model_dir: Path) -> None:
        super().__init__(model_dir, "m", "/in/1")
        self.log, self.code, self.error, self.ended = "", None, None, 0

    def start(self) -> None:
        if self.error is not None:
            raise self.error

    def exit_code(self):
        return self.code

    def resident_memory(self):
        return 0

    def _addresses(self):
        return "127.0.0.1:1", "127.0.0.1:2"

    def _read_logs(self):
        return self.log

    def _end(self):
        self.ended += 1


class Client:
    """Says the statuses that are in its class; none means that no port is open."""

    statuses: tuple[VersionStatus, ...] = ()

    def __init__(self, address: str) -> None:
        pass

    def status(self, _):
        if not self.statuses:
            raise Unavailable("refused", code="UNAVAILABLE")
        return self.statuses

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture(autouse=True)
def said(monkeypatch):
    monkeypatch.setattr(upstream, "RestClient", Client)
    monkeypatch.setattr(Client, "statuses", ())
    return lambda *statuses: monkeypatch.setattr(Client, "statuses", statuses)


@pytest.fixture
def server(tmp_path):
    return Server(tmp_path)


def test_a_model_that_is_available_took_as_long_as_the_log_says(server, said):
    server.log = BEGAN + LOADED
    said(VersionStatus(1, State.AVAILABLE))
    assert server.wait_until_available(1) == 1.5
    assert (server.rest_address, server.grpc_address) == ("http://127.0.0.1:1", "127.0.0.1:2")


def test_without_the_log_the_wait_is_what_counts(server, said):
    said(VersionStatus(1, State.AVAILABLE))
    assert 0 <= server.wait_until_available(1) < 1


def test_a_refusal_in_the_log_of_a_server_that_ended_is_a_refusal(server, tmp_path):
    server.log, server.code = BEGAN + REFUSED, 255
    assert server.rest_address, "the server itself was fine"
    with pytest.raises(ModelLoadError, match=f"^NO: {tmp_path}$") as caught:
        server.wait_until_available(1)
    assert caught.value.log_tail == server.log.strip()


def test_a_refusal_in_the_status_is_a_refusal(server, said, tmp_path):
    said(VersionStatus(1, State.END, Code.DATA_LOSS, "broken: /in/1"))
    with pytest.raises(ModelLoadError, match=f"broken: {tmp_path}"):
        server.wait_until_available(1)


def test_a_server_that_ends_without_a_word_of_the_model_is_no_refusal(server):
    server.log, server.code = "libfoo.so: cannot open shared object file\n", 127
    with pytest.raises(ServerDied, match=r"code 127 .*libfoo"):
        server.wait_until_available(1)


def test_a_server_that_never_comes_to_the_model_is_told_before_the_model_is_asked_for(server):
    with pytest.raises(LaunchTimeout, match="the server came to the model: not within"):
        _ = server.rest_address


def test_a_model_that_takes_too_long_is_told_as_that(server):
    server.log = BEGAN
    assert server.rest_address
    with pytest.raises(LaunchTimeout, match="model m was available: not within"):
        server.wait_until_available(0.05)


def test_its_log_stays_and_it_is_ended_once(server):
    server.log = "words"
    server.stop()
    server.log = ""
    server.stop()
    assert (server.logs(), server.ended) == ("words", 1)


def test_a_start_that_fails_is_cleaned_up(server, tmp_path):
    class Launcher(UpstreamLauncher):
        def check(self):
            pass

        def _server(self, *_):
            return server

    server.error = SluicewayError("half way")
    with pytest.raises(SluicewayError, match="half way"):
        Launcher(Target("x")).launch(tmp_path, model_name="m")
    assert server.ended == 1


def test_a_model_is_loaded_once_and_the_targets_flags_come_last():
    flags = load_flags(Target("binary", "x", ("--enable_batching",)))
    assert flags[:2] == ["--max_num_load_retries=0", "--load_retry_interval_micros=0"]
    assert flags[-1] == "--enable_batching"
