"""``sluiceway serve`` in one process; ``predict``, ``curl`` and the golden answers agree in others."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from serving import golden
from serving.launchers.readiness import wait_for
from tests.e2e.command import Ended, sluiceway, started

ROW = {"fare": 12.5, "trip_start_hour": 19, "payment_type": "Credit Card", "trip_miles": 3.0}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Serving:
    """A running ``sluiceway serve`` and how to reach it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.rest_port, self.grpc_port = free_port(), free_port()
        self.process = started("serve", "taxi", *self.ports, state=state)
        wait_for(self._available, self.process.poll, what="the model was available", deadline_seconds=120)

    @property
    def ports(self) -> list[str]:
        return ["--set", f"server.rest_port={self.rest_port}", "--set", f"server.grpc_port={self.grpc_port}"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.rest_port}/v1/models/taxi"

    def predict(self, row: object, *more: str) -> Ended:
        return sluiceway("predict", "taxi", json.dumps(row), "--json", *more, *self.ports, state=self.state)

    def _available(self) -> bool | None:
        try:
            return httpx.get(self.url, trust_env=False).status_code == 200 or None
        except httpx.TransportError:
            return None


@pytest.fixture(scope="module")
def serving(first_run: tuple[Path, Ended]) -> Iterator[Serving]:
    state, ended = first_run
    assert ended.code == 0, ended.err
    running = Serving(state)
    yield running
    running.process.send_signal(signal.SIGTERM)
    running.process.communicate(timeout=30)
    assert running.process.returncode == 0


def test_predict_over_rest_and_grpc_agree(serving: Serving) -> None:
    rest, grpc = serving.predict(ROW), serving.predict(ROW, "--grpc")
    assert (rest.code, grpc.code) == (0, 0), rest.err + grpc.err
    (by_rest,), (by_grpc,) = rest.document["predictions"], grpc.document["predictions"]
    assert by_rest["label"] == by_grpc["label"]
    assert by_rest["probability"] == pytest.approx(by_grpc["probability"], abs=1e-6)
    assert rest.document["version"] == grpc.document["version"] == 1


def test_a_card_pays_a_bigger_tip_than_cash(serving: Serving) -> None:
    answers = serving.predict([ROW, {**ROW, "payment_type": "Cash"}]).document["predictions"]
    assert answers[0]["probability"] > 0.5 > answers[1]["probability"]


def test_curl_with_plain_json_gets_the_golden_answers(serving: Serving) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed (.ci/run installs it)")
    request = next(request for request in golden.read(serving.state / "store" / "taxi" / "1") if request.signature == "predict")
    plain = {
        name: [value.decode() if isinstance(value, bytes) else value for value in array.tolist()] for name, array in request.inputs.items()
    }
    # Python writes NaN as TF Serving reads it.
    body = json.dumps({"signature_name": "predict", "inputs": plain})
    command = ["curl", "--silent", "--noproxy", "*", "-d", "@-", f"{serving.url}:predict"]
    answer = subprocess.run(command, input=body, capture_output=True, text=True, check=True, timeout=60)
    outputs = json.loads(answer.stdout)["outputs"]
    np.testing.assert_allclose(outputs["probability"], request.outputs["probability"], atol=1e-5)
    assert outputs["label"] == [label.decode() for label in request.outputs["label"].tolist()]


def test_classify_answers_with_the_class_names(serving: Serving) -> None:
    body = {"signature_name": "classify", "examples": [{"fare": 12.5, "trip_start_hour": 19, "payment_type": "Credit Card"}]}
    answer = httpx.post(f"{serving.url}:classify", json=body, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert {label for label, _ in answer.json()["results"][0]} == {"big_tip", "small_tip"}


@pytest.mark.parametrize(
    ("row", "saying"),
    [
        pytest.param({"fair": 1.0}, "unknown column 'fair'", id="unknown-column"),
        pytest.param({"fare": "much"}, "fare: 'much' is not a number", id="text-for-a-number"),
        pytest.param({"trip_start_hour": 7.5}, "trip_start_hour: 7.5 is not a whole number", id="fraction-for-a-whole"),
        pytest.param([], "one for each row", id="no-rows"),
    ],
)
def test_a_row_that_does_not_fit_is_told_in_one_line(row: object, saying: str, serving: Serving) -> None:
    ended = serving.predict(row)
    assert ended.code == 2
    assert saying in ended.document["error"]["message"]
    assert "Traceback" not in ended.err


def test_a_version_that_is_not_served_is_told_in_one_line(serving: Serving) -> None:
    ended = serving.predict(ROW, "--version", "9")
    assert ended.code == 2
    assert "Specific(taxi, 9)" in ended.document["error"]["message"]


def test_no_server_is_told_in_one_line(first_run: tuple[Path, Ended]) -> None:
    ended = sluiceway("predict", "taxi", "{}", "--set", f"server.rest_port={free_port()}", state=first_run[0])
    assert ended.code == 1
    assert len(ended.err.strip().splitlines()) == 1
    assert "sluiceway serve" in ended.err


def test_serving_a_store_with_nothing_in_it_is_a_usage_error(tmp_path: Path) -> None:
    ended = sluiceway("serve", "taxi", state=tmp_path)
    assert ended.code == 2
    assert "sluiceway run taxi" in ended.err


def test_a_new_version_is_picked_up_while_requests_go_on(live: Path) -> None:
    running = Serving(live)
    try:
        version = live / "store" / "taxi" / "1"
        staged = live / "store" / "taxi" / ".staging-by-hand"
        shutil.copytree(version, staged)
        staged.rename(version.with_name("2"))
        codes: list[int] = []

        def second() -> bool | None:
            codes.append(httpx.post(f"{running.url}:predict", json=_columns(ROW), trust_env=False).status_code)
            states = {row["version"]: row["state"] for row in httpx.get(running.url, trust_env=False).json()["model_version_status"]}
            return (states.get("2") == "AVAILABLE" and states.get("1") == "END") or None

        wait_for(second, running.process.poll, what="version 2 had taken over", deadline_seconds=60)
        assert set(codes) == {200}
    finally:
        running.process.send_signal(signal.SIGTERM)
        running.process.communicate(timeout=30)


def _columns(row: dict[str, object]) -> dict[str, object]:
    """A request with every column of the taxi model, missing ones as their sign for it."""
    missing: dict[str, object] = {
        **dict.fromkeys(["company", "payment_type"], ""),
        **dict.fromkeys(["dropoff_latitude", "dropoff_longitude", "pickup_latitude", "pickup_longitude", "trip_seconds"], 0.0),
        **dict.fromkeys(["dropoff_census_tract", "dropoff_community_area", "pickup_census_tract", "pickup_community_area"], -1),
        **dict.fromkeys(["trip_start_day", "trip_start_month", "trip_start_timestamp"], 1),
    }
    return {"signature_name": "predict", "instances": [{**missing, **row}]}
