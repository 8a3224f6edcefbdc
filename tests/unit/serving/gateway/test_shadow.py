"""Copies go to another version, off the way of the answer: whatever becomes of them, nobody waits and nobody notices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from serving.gateway.metrics import Metrics
from serving.gateway.routing import Asked, Target
from serving.gateway.shadow import Shadows
from serving.protocol.status import Code, StatusError
from tests.unit.serving.gateway.asgi import Stage, log_of, play, times

ASKED = Asked("m", "predict", Target(), Target(version=2), 1e-3)
ONE = {"y": np.float32([1.0, 2.0])}


def outcome(ask: Any, outputs: Mapping[str, Any] = ONE) -> dict[str, Any]:
    async def story() -> dict[str, Any]:
        metrics = Metrics()
        metrics.learn("m")
        shadows = Shadows(metrics)
        shadows.send(ASKED, ask, outputs)
        await shadows.settle(5)
        for result, count in shadows.record("m")["counts"].items():
            assert metrics.registry.get_sample_value("sluiceway_gateway_shadow_total", {"model": "m", "result": result}) == count
        assert np.isfinite(metrics.registry.get_sample_value("sluiceway_gateway_shadow_difference_sum", {"model": "m"}) or 0.0)
        return shadows.record("m")

    return asyncio.run(story())


def answering(outputs: Mapping[str, Any]) -> Any:
    async def ask() -> Mapping[str, Any]:
        return outputs

    return ask


def failing(error: Exception) -> Any:
    async def ask() -> Mapping[str, Any]:
        raise error

    return ask


def test_the_same_answer_is_counted():
    assert outcome(answering(ONE)) == {"counts": {"same": 1}, "latest": []}


def test_another_answer_is_counted_and_how_it_differs_is_kept():
    found = outcome(answering({"y": np.float32([1.0, 2.5])}))
    assert found["counts"] == {"different": 1}
    assert found["latest"] == [{"result": "different", "to": "v2", "largest": 0.5, "changed": 0, "rows": 2, "reason": ""}]


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_number_against_none_is_counted_and_spoils_no_sum(wrong):
    assert outcome(answering({"y": np.float32([1.0, wrong])}))["counts"] == {"different": 1}


def test_an_answer_of_another_form_is_told():
    assert outcome(answering({"z": ONE["y"]}))["latest"][0]["reason"] == "outputs y against z"


def test_a_shadow_that_fails_is_counted():
    found = outcome(failing(StatusError(Code.NOT_FOUND, "no version 2")))
    assert found == {"counts": {"failed": 1}, "latest": [{"result": "failed", "to": "v2", "reason": "NOT_FOUND"}]}
    # What may hold a part of the request is not kept: every key of the model can read it.
    assert "hush" not in str(outcome(failing(StatusError(Code.INVALID_ARGUMENT, "cannot read 'hush'"))))
    (failed,) = outcome(failing(StatusError(Code.UNAVAILABLE, "the model server default cannot be reached")))["latest"]
    assert failed["reason"] == "the model server default cannot be reached"
    with log_of("serving.gateway.shadow") as lines:
        assert outcome(failing(ZeroDivisionError("x")))["counts"] == {"failed": 1}
    assert lines == ["a copy to v2 of m failed"]


def test_copies_do_not_pile_up_and_do_not_outlive_the_gateway():
    async def story() -> None:
        shadows, tasks = Shadows(Metrics()), asyncio.all_tasks()

        async def never() -> Mapping[str, Any]:
            await asyncio.Event().wait()
            return {}

        for _ in range(20):
            shadows.send(ASKED, never, ONE)
        assert shadows.record("m")["counts"] == {"dropped": 12}
        await shadows.settle(0.01)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == tasks

    asyncio.run(story())


CONFIG = {"models": {"m": {"arms": [{"version": 1}], "shadow": {"version": 2, "share": 1.0}}}}


def test_a_copy_goes_to_the_shadow_and_the_answer_does_not():
    async def story(stage: Stage) -> None:
        answer = await stage.predict()
        assert (answer.json(), answer.headers["x-model-version"]) == ({"predictions": [2.0]}, "1")
        await stage.gateway.shadows.settle(5)
        record = (await stage.client.get("/models/m")).json()["shadowed"]
        assert record["counts"] == {"different": 1}
        assert record["latest"][0]["largest"] == 1.0

    play(story, CONFIG)


def test_a_record_of_infinite_differences_can_be_shown():
    async def story(stage: Stage) -> None:
        stage.models.load("m", 2, lambda: times(float("inf")))
        stage.models.load("m", 3, lambda: times(float("inf")))
        await stage.predict()
        await stage.gateway.shadows.settle(5)
        answer = await stage.client.get("/models/m")
        assert answer.status_code == 200
        assert json.loads(answer.text)["shadowed"]["latest"][0]["largest"] is None

    play(story, {"models": {"m": {"arms": [{"version": 1}], "shadow": {"version": 3, "share": 1.0}}}})


def test_a_shadow_that_is_not_there_changes_nothing():
    async def story(stage: Stage) -> None:
        for _ in range(10):
            assert (await stage.predict()).status_code == 200
        await stage.gateway.shadows.settle(5)
        assert stage.gateway.shadows.record("m")["counts"] == {"failed": 10}
        assert not stage.gateway.upstreams["default"].is_open

    play(story, {"models": {"m": {"arms": [{"version": 1}], "shadow": {"version": 9, "share": 1.0}}}})


def test_what_the_shadow_answers_itself_is_not_copied():
    async def story(stage: Stage) -> None:
        assert (await stage.predict(x_model_version="2")).status_code == 200
        assert stage.gateway.shadows.record("m") == {}

    play(story, CONFIG)
