"""A/B, labels, headers and shadows before a real server."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator

import pytest

from configs.gateway import Arm
from serving.gateway.routing import choose
from serving.launchers.readiness import wait_for
from serving.protocol import wire_pb2 as wire
from tests.integration.serving.contract.servers import served, wait_until_available
from tests.integration.serving.contract.zoo import entry, zoo
from tests.integration.serving.gateway.front import Front, gateway, upstream
from tests.integration.serving.gateway.scripted import scripted

ROW = '{"instances": [1.0]}'
PATH = "/v1/models/half:predict"
ARMS = [{"label": "stable", "weight": 3}, {"version": 2, "weight": 1}]


@pytest.fixture(scope="module")
def routed(server, tmp_path_factory) -> Iterator[Front]:
    config = {**upstream(server.grpc_address), "models": {"half": {"arms": ARMS}}, "user_header": "X-Visitor"}
    with gateway(tmp_path_factory.mktemp("routed"), config) as front:
        yield front


def test_users_are_shared_out_and_stay(routed):
    arms = [Arm(label="stable", weight=3), Arm(version=2)]
    with routed.http() as client:
        seen = [
            client.post(PATH, content=ROW, headers={"x-visitor": f"user-{number % 100}"}).headers["x-model-version"]
            for number in range(200)
        ]
    expected = ["2" if choose("half", arms, f"user-{number}").target.version else "1" for number in range(100)]
    assert seen == expected * 2
    assert set(seen) == {"1", "2"}


def test_without_a_user_chance_decides(routed):
    with routed.http() as client:
        seen = Counter(client.post(PATH, content=ROW).headers["x-model-version"] for _ in range(200))
    assert set(seen) == {"1", "2"}


@pytest.mark.parametrize(
    ("path", "headers", "version"),
    [
        (PATH, {"x_model_version": "2"}, "2"),
        (PATH, {"x_model_version": "1"}, "1"),
        (PATH, {"x_model_label": "canary"}, "2"),
        ("/v1/models/half/versions/2:predict", {}, "2"),
        ("/v1/models/half/labels/stable:predict", {}, "1"),
    ],
)
def test_a_request_may_choose_itself(routed, path, headers, version):
    answer = routed.rest.ask("POST", path, ROW, x_visitor="user-1", **headers)
    assert (answer.status, answer.headers["x-model-version"]) == (200, version)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (PATH, {"x_model_version": "1", "x_model_label": "stable"}, 400),
        ("/v1/models/half/versions/1:predict", {"x_model_version": "1"}, 400),
        ("/v1/models/half/labels/stable:predict", {"x_model_label": "stable"}, 400),
        (PATH, {"x_model_version": "new"}, 400),
        (PATH, {"x_model_version": "9" * 5000}, 400),
        (PATH, {"x_model_version": "9"}, 404),
        (PATH, {"x_model_label": "nope"}, 400),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_choice_that_makes_no_sense_is_told(routed, path, headers, status):
    answer = routed.rest.ask("POST", path, ROW, **headers)
    assert answer.status == status
    assert answer.error


def test_requests_are_counted_by_version_and_route(routed):
    routed.rest.ask("POST", PATH, ROW, x_model_version="1")
    assert routed.metric("sluiceway_gateway_requests_total", model="half", version="1", route="header", status="200") >= 1
    assert routed.metric("sluiceway_gateway_request_seconds_count", model="half", route="header") >= 1
    assert routed.metric("sluiceway_gateway_upstream_seconds_count", model="half") >= 1
    assert routed.metric("sluiceway_gateway_in_flight", model="half") == 0


def test_arms_move_without_a_restart_and_without_a_lost_request(routed, server):
    config = {**upstream(server.grpc_address), "user_header": "X-Visitor"}
    with routed.http() as client:
        for arms, expected in (([{"version": 2}], {"2"}), ([{"version": 1}], {"1"}), (ARMS, {"1", "2"})):
            routed.put_in_force({**config, "models": {"half": {"arms": arms}}})
            answers = [client.post(PATH, content=ROW, headers={"x-visitor": f"user-{number}"}) for number in range(40)]
            assert {answer.status_code for answer in answers} == {200}
            assert {answer.headers["x-model-version"] for answer in answers} == expected


def test_a_wrong_change_is_refused_and_counted(routed):
    before = routed.metric("sluiceway_gateway_config_reloads_total", result="refused")
    text = routed.file.read_text()
    for wrong in ("x: [", "models: {half: {upstream: gone}}", "keys: {file: /nowhere}"):
        routed.file.write_text(wrong)
        before += 1
        wait_for(
            lambda expected=before: routed.metric("sluiceway_gateway_config_reloads_total", result="refused") >= expected or None,
            routed.process.poll,
            what="it was refused",
            deadline_seconds=20,
        )
        assert routed.rest.ask("POST", PATH, ROW).status == 200
    routed.file.write_text(text)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory) -> Iterator[str]:
    """The address of a server with three versions of a model that have little in common."""
    root = tmp_path_factory.mktemp("uneven")
    for number, name in enumerate(("half_plus_two", "slow", "columns"), start=1):
        shutil.copytree(zoo() / name, root / "m" / str(number))
    with served(root, entry(root, "m", "model_version_policy { all {} }"), flags=["--enable_model_warmup=false"]) as process:
        wait_until_available(process, {"m": 3})
        yield process.grpc_address


def shadowed(address: str, version: int) -> dict[str, object]:
    return {**upstream(address), "models": {"m": {"arms": [{"version": 1}], "shadow": {"version": version, "share": 1.0}}}}


def counts(front: Front) -> dict[str, int]:
    with front.http() as client:
        found: dict[str, int] = client.get("/models/m").json()["shadowed"].get("counts", {})
        return found


def test_nobody_waits_for_a_slow_shadow(tmp_path):
    def answer(request: wire.PredictRequest, context: object) -> None:
        del context
        if request.model_spec.version.value == 2:
            server.held.wait(60)

    with scripted(answer) as server, gateway(tmp_path, shadowed(server.address, 2)) as front:
        answers = [front.rest.predict("m", '{"instances": [0.5]}') for _ in range(25)]
        assert {(answer.status, answer.headers["x-model-version"]) for answer in answers} == {(200, "1")}
        # Eight are still being answered; more were too many.
        assert counts(front) == {"dropped": 17}
        wait_for(lambda: len(server.asked) == 33 or None, front.process.poll, what="eight copies had arrived", deadline_seconds=20)
        assert server.versions() == [1] * 25 + [2] * 8
        # The end does not wait for them either.
        assert front.end(60) == 0
        assert not server.held.is_set()


@pytest.mark.parametrize(("version", "result"), [(2, "different"), (3, "failed"), (9, "failed")])
def test_a_shadow_changes_nothing_whatever_it_says(uneven, tmp_path, version, result):
    """Version 2 answers something else, 3 takes another input, 9 is not there."""
    with gateway(tmp_path, shadowed(uneven, version)) as front:
        # As many as may be under way at once: of more, a slow machine drops some.
        answers = [front.rest.predict("m", '{"instances": [0.0]}') for _ in range(8)]
        assert {(answer.status, answer.headers["x-model-version"]) for answer in answers} == {(200, "1")}
        wait_for(lambda: counts(front) == {result: 8} or None, front.process.poll, what="all were compared", deadline_seconds=60)
        assert front.metric("sluiceway_gateway_shadow_total", model="m", result=result) == 8
        assert front.metric("sluiceway_gateway_upstream_open", upstream="default") == 0


def test_arms_that_are_not_served_are_told_in_the_log_at_the_start_and_after_a_change(server, tmp_path):
    def config(number: int) -> dict[str, object]:
        return {**upstream(server.grpc_address), "models": {"half": {"arms": [{"version": number}, {"label": "stable"}]}}}

    with gateway(tmp_path, config(7)) as front:
        for number in (7, 8):
            if number == 8:
                front.put_in_force(config(number))
            line = f"models.half: arm version {number} is not served; its users get 404"
            wait_for(
                lambda told=line: f"WARNING {told}" in front.log.read_text().splitlines() or None,
                front.process.poll,
                what="it was told",
                deadline_seconds=30,
                logs=front.log.read_text,
            )
