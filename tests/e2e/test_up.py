"""``sluiceway up``: model server, gateway and page by one command, and nothing left of them by one key."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from serving.gateway.access import digest_of
from serving.launchers.readiness import wait_for
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from tests.e2e.command import Ended, sluiceway, started
from tests.integration.serving.contract.zoo import zoo

FREE = ("--set", "server.grpc_port=0", "--set", "server.rest_port=0", "--set", "gateway.port=0")
ROW = {"instances": [1.0]}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two versions of a model that has no use case here."""
    folder = tmp_path_factory.mktemp("up") / "state"
    for name in ("half_plus_two", "half_plus_three"):
        LocalStore(folder / "store").publish("half", zoo() / name, Identity("run", "half", metrics={"auc": 0.75}))
    return folder


class Up:
    """A running ``sluiceway up``: its lines so far, its children, the page's address."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.lines, self.address = process, list[str](), ""
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line.rstrip())
            if found := re.match(r"page\s+(http://\S+)/$", line):
                self.address = found[1].replace("localhost", "127.0.0.1")
            if line.startswith("Ctrl-C"):
                return
        raise AssertionError(f"it ended with {process.wait()}: {self.lines}")

    @property
    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, module: str) -> psutil.Process:
        return next(child for child in self.children if module in child.cmdline())

    def ended(self, seconds: float = 60) -> Ended:
        """How it ends, with the rest of what it prints."""
        self.process.wait(seconds)
        assert self.process.stdout is not None
        # Not by communicate, which knows nothing of lines that came with the last one that was read.
        return Ended(self.process.returncode, self.process.stdout.read(), "")


@contextmanager
def up(state: Path, *more: str) -> Iterator[Up]:
    process = started("up", *FREE, *more, state=state)
    try:
        yield Up(process)
    finally:
        process.kill()
        process.communicate()


def folders() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob("sluiceway-up-*")}


def gone(processes: list[psutil.Process], seconds: float = 30) -> bool:
    return psutil.wait_procs(processes, timeout=seconds)[1] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_page_by_one_command_and_an_end_by_one_key(state: Path, number: int) -> None:
    before = folders()
    with up(state) as running, httpx.Client(base_url=running.address, trust_env=False, timeout=60) as client:
        page = client.get("/")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        (model,) = client.get("/models").json()["models"]
        assert (model["model"], [row["version"] for row in model["versions"]]) == ("half", [2, 1])
        wait_for(
            lambda: client.post("/v1/models/half:predict", json=ROW).status_code == 200 or None,
            running.process.poll,
            what="the model answered",
            deadline_seconds=120,
        )
        assert client.post("/v1/models/half:predict", json=ROW).json() == {"predictions": [3.5]}
        assert [event["kind"] for event in client.get("/models/half/history").json()["events"]] == ["publish", "publish"]
        children = running.children
        assert len(children) == 2
        begun = time.monotonic()
        running.process.send_signal(number)
        ended = running.ended()
        assert (ended.code, ended.out.splitlines()[-1]) == (0, "stopped")
        assert time.monotonic() - begun < 20
        assert gone(children)
    assert folders() == before


def test_what_is_published_for_the_first_time_is_served_and_what_is_wrong_is_said(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    store.publish("half", zoo() / "half_plus_two", Identity("run", "half"))
    arms = "gateway.models={half: {arms: [{version: 1}, {version: 7, weight: 0.0001}]}}"
    with up(tmp_path, "--set", arms) as running, httpx.Client(base_url=running.address, trust_env=False, timeout=60) as client:
        store.publish("third", zoo() / "half_plus_three", Identity("run", "third"))

        def answered() -> bool | None:
            client.get("/models/half")
            return client.post("/v1/models/third:predict", json=ROW).json() == {"predictions": [3.5]} or None

        wait_for(answered, running.process.poll, what="the new model answered", deadline_seconds=120)
        running.process.send_signal(signal.SIGINT)
        told = running.ended().out.splitlines()
    assert "model server: third, too ..." in told
    assert "gateway: models.half: arm version 7 is not served; its users get 404" in told


def test_a_kill_leaves_nothing(state: Path) -> None:
    before = folders()
    with up(state) as running:
        children = running.children
        assert len(folders() - before) == 2
        running.process.kill()
        running.process.wait()
        assert gone(children)
    wait_for(lambda: folders() == before or None, lambda: None, what="its folders were gone", deadline_seconds=20)


@pytest.mark.parametrize(("module", "name"), [("serving.server", "model server"), ("serving.gateway", "gateway")])
def test_one_that_dies_ends_the_other(state: Path, module: str, name: str) -> None:
    with up(state) as running:
        children = running.children
        running.child(module).kill()
        ended = running.ended()
        assert ended.code == 1
        line = ended.out.strip().splitlines()[-1]
        assert line.startswith(f"sluiceway: the {name} was ended by signal 9 (Killed)")
        assert gone(children)


def test_a_second_one_is_told_that_the_port_is_taken(state: Path) -> None:
    with up(state) as running:
        port = running.address.rpartition(":")[2]
        ended = sluiceway("up", *FREE[:4], "--set", f"gateway.port={port}", state=state)
        assert ended.code == 2
        (line,) = ended.err.strip().splitlines()
        assert line.startswith(f"sluiceway: gateway.port: 127.0.0.1:{port} is taken")


def test_a_wrong_configuration_is_told_in_one_line(state: Path) -> None:
    ended = sluiceway("up", *FREE, "--set", "gateway.keys={file: /nowhere/keys}", state=state)
    assert ended.code == 2
    assert "gateway.keys.file: /nowhere/keys cannot be read: No such file or directory" in ended.err.strip().splitlines()[-1]
    assert "Traceback" not in ended.err


def test_keys_of_the_environment_reach_the_gateway(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEWAY_TEST_KEYS", f"reports: {digest_of('hush')}")
    with up(state, "--set", "gateway.keys={env: SLUICEWAY_TEST_KEYS}") as running:
        answers = [httpx.get(f"{running.address}/models", headers={"x-api-key": key}, trust_env=False) for key in ("wrong", "hush")]
        assert [answer.status_code for answer in answers] == [401, 200]
