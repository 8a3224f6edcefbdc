"""Targets are values: they come back from their JSON text, and flags that the launcher sets itself are refused."""

from __future__ import annotations

import json

import pytest

from configs.errors import UsageError
from serving.launchers.target import Target, dump, parse

POD = Target("kubernetes", "image:1", ("--enable_batching",), "ml", "prod", "models", "/models", "server")


def test_targets_come_back_from_their_text():
    targets = (Target("embedded"), Target("binary", "server", ("--a=1", "--b")), POD)
    assert parse(dump(targets)) == targets


def test_the_same_targets_have_the_same_text():
    assert dump([POD]) == dump(parse(dump([POD])))
    assert json.loads(dump([Target("embedded")])) == [{"kind": "embedded"}]


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1]", "[{}]", '[{"kind": "embedded", "secret": 1}]', '"embedded"'])
def test_another_text_is_refused(text):
    with pytest.raises(UsageError, match="not a list of launcher targets"):
        parse(text)


@pytest.mark.parametrize(
    ("flag", "why"),
    [("--port=1", "sets it itself"), ("--max_num_load_retries=9", "sets it itself"), ("batching", "look like --name=value")],
)
def test_a_flag_that_cannot_be_given_is_named(flag, why):
    with pytest.raises(UsageError, match=rf"launchers\.docker\.flags: '{flag}' cannot be given: .*{why}"):
        Target("docker", "image", (flag,))


def test_the_place_decides_nothing():
    assert POD.deciding == Target("kubernetes", "image:1", ("--enable_batching",)).deciding
    assert POD.deciding != Target("kubernetes", "image:2", ("--enable_batching",)).deciding


def test_a_target_is_named_after_what_it_boots():
    assert [POD.label, Target("embedded").label] == ["image:1", "embedded"]
