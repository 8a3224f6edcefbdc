"""Arms and shadows that name what is not served are told: to who asks about the model, and once in the log."""

from __future__ import annotations

import asyncio

import pytest

from configs.gateway import Arm, Model, Shadow
from serving.gateway.routing import Target
from serving.gateway.unserved import Noticed, look, unserved
from serving.protocol.status import Code, State, StatusError, VersionStatus
from tests.unit.serving.gateway.asgi import Stage, log_of, play

STATUSES = [VersionStatus(2, State.AVAILABLE), VersionStatus(3, State.LOADING), VersionStatus(1, State.END)]


def found(rules: Model, code: Code = Code.INVALID_ARGUMENT) -> list[str]:
    async def ask(target: Target) -> None:
        if target.label != "stable":
            raise StatusError(code, "no such label")

    return asyncio.run(unserved(rules, STATUSES, ask))


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (Model(), []),
        (Model(arms=[Arm(), Arm(version=2), Arm(label="stable")], shadow=Shadow(version=2)), []),
        (Model(arms=[Arm(version=7)]), ["arm version 7 is not served; its users get 404"]),
        (
            Model(arms=[Arm(version=2), Arm(version=1), Arm(version=3)]),
            [f"arm version {number} is not served; its users get 404" for number in (1, 3)],
        ),
        (Model(arms=[Arm(label="canary")]), ["arm label canary is not served; its users get 400"]),
        (Model(arms=[Arm(), Arm(version=7, weight=0.0)]), []),
        (Model(shadow=Shadow(version=7)), ["shadow version 7 is not served; copies to it fail"]),
        (Model(shadow=Shadow(label="canary")), ["shadow label canary is not served; copies to it fail"]),
        (Model(shadow=Shadow(label="canary", share=0.0)), []),
    ],
)
def test_what_is_not_served_is_told(rules, told):
    assert found(rules) == told


@pytest.mark.parametrize(("code", "known"), [(Code.NOT_FOUND, True), (Code.UNAVAILABLE, False), (Code.DEADLINE_EXCEEDED, False)])
def test_a_server_that_cannot_be_asked_says_nothing_about_a_label(code, known):
    assert found(Model(arms=[Arm(label="canary")]), code) == (["arm label canary is not served; its users get 404"] if known else [])


def test_the_log_is_told_once_and_again_when_it_comes_back():
    noticed = Noticed()
    with log_of("serving.gateway.unserved") as lines:
        for problems in (["a"], ["a"], ["a", "b"], [], ["a"]):
            noticed.notice("m", problems)
    assert lines == ["models.m: a", "models.m: b", "models.m: a"]


CONFIG = {"models": {"m": {"arms": [{"version": 2}, {"version": 7}, {"label": "canary"}]}}}
TOLD = ["arm version 7 is not served; its users get 404", "arm label canary is not served; its users get 400"]


def test_who_asks_about_the_model_is_told():
    async def story(stage: Stage) -> None:
        for _ in range(2):
            assert (await stage.client.get("/models/m")).json()["problems"] == TOLD
        assert "problems" not in (await stage.client.get("/models")).json()["models"][0]

    with log_of("serving.gateway.unserved") as lines:
        play(story, CONFIG)
    assert lines == [f"models.m: {problem}" for problem in TOLD]


def test_a_model_without_arms_has_none():
    async def story(stage: Stage) -> None:
        assert (await stage.client.get("/models/m")).json()["problems"] == []

    play(story)


@pytest.mark.parametrize("address", [None, "127.0.0.1:1"], ids=["there", "not-there"])
def test_the_start_looks_without_being_asked(address):
    async def story(stage: Stage) -> None:
        await look(stage.gateway)

    config = CONFIG if address is None else {**CONFIG, "upstreams": {"default": {"grpc": address}}}
    with log_of("serving.gateway.unserved") as lines:
        play(story, config)
    assert lines == ([f"models.m: {problem}" for problem in TOLD] if address is None else [])
