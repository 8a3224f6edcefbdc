"""Bodies of classify and regress."""

from __future__ import annotations

import json

import pytest

from serving.protocol import wire_pb2 as wire
from serving.protocol.examples import read_examples, write_classifications, write_regressions
from serving.protocol.status import StatusError


def features(serialized: bytes) -> dict[str, list[object]]:
    example = wire.Example.FromString(serialized)
    return {name: list(getattr(feature, feature.WhichOneof("kind")).value) for name, feature in example.features.feature.items()}


def test_json_types_decide_the_feature_kind():
    (serialized,) = read_examples({"examples": [{"i": 1, "t": True, "f": 1.5, "fs": [1.0, 2.0], "s": "a", "b": {"b64": "/w=="}}]})
    assert features(serialized) == {"i": [1], "t": [1], "f": [1.5], "fs": [1, 2], "s": [b"a"], "b": [b"\xff"]}


def test_an_example_wins_over_the_context():
    (serialized,) = read_examples({"context": {"a": 1, "b": 1}, "examples": [{"b": 2}]})
    assert features(serialized) == {"a": [1], "b": [2]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "JSON Value: {} When method is classify, key 'examples' is expected and was not found"),
        ({"examples": 1}, "JSON Value: {\"examples\":1} Expecting 'examples' value to be an list/array"),
        ({"examples": []}, "JSON Value: {\"examples\":[]} 'examples' value is an empty array"),
        ({"examples": [1]}, "Example must be JSON object but got JSON Number"),
        ({"examples": [{"f": None}]}, "Feature: f has element with unexpected JSON type: Null"),
        ({"examples": [{"f": [[1]]}]}, "Feature: f has element with unexpected JSON type: Array"),
        ({"examples": [{"f": [1, 1.5]}]}, "Unexpected element type in feature: f expecting type: int64"),
        ({"examples": [{"f": 2**63}]}, "Feature: f has uint64_t element. Only int64_t is supported."),
    ],
)
def test_wrong_requests_get_upstreams_message(document, message):
    with pytest.raises(StatusError) as caught:
        read_examples(document)
    assert caught.value.message == message


def test_answers_have_upstreams_form():
    assert json.loads(write_classifications([[("a", 0.25), ("b", 0.75)]])) == {"results": [[["a", 0.25], ["b", 0.75]]]}
    assert json.loads(write_regressions([1.0, 2.5])) == {"results": [1.0, 2.5]}
