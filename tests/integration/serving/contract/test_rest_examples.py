"""Bodies of REST classify and regress calls."""

from __future__ import annotations

import base64
import json

import pytest


def call(rest, verb: str, body: object, model: str = "examples"):
    return rest.post(f"/v1/models/{model}:{verb}", body if isinstance(body, str) else json.dumps(body))


def test_values_come_in_order(rest):
    answer = call(rest, "regress", {"signature_name": "x", "examples": [{"x": 1.5}, {"x": [2.0]}, {}]})
    assert answer.status == 200
    assert json.loads(answer.body) == {"results": [1.5, 2.0, 0.0]}


def test_the_models_of_tensorflow_one_regress_and_classify(rest):
    body = {"examples": [{"x": 1.0}, {"x": [2.0]}]}
    assert json.loads(call(rest, "regress", body | {"signature_name": "regress_x_to_y"}, "half").body) == {"results": [3.5, 4.0]}
    answer = call(rest, "classify", body | {"signature_name": "classify_x_to_y"}, "half")
    assert json.loads(answer.body) == {"results": [[["", 3.5]], [["", 4.0]]]}


def test_classes_are_pairs_of_label_and_score(rest):
    answer = call(rest, "classify", {"examples": [{}, {}]})
    assert answer.text == '{\n    "results": [[["no", 1.0], ["yes", 1.0]], [["no", 1.0], ["yes", 1.0]]\n    ]\n}'


def test_integers_and_booleans_are_int64_features(rest):
    answer = call(rest, "regress", {"signature_name": "i", "examples": [{"i": 3}, {"i": [True]}, {"i": False}]})
    assert json.loads(answer.body) == {"results": [3.0, 1.0, 0.0]}


def test_strings_and_base64_are_bytes_features(rest):
    examples = [{"s": "é"}, {"s": [{"b64": base64.b64encode(b"raw").decode()}]}]
    answer = call(rest, "classify", {"signature_name": "s", "examples": examples})
    assert json.loads(answer.body) == {"results": [[["é", 0.0]], [["raw", 0.0]]]}


def test_a_context_stands_behind_every_example(rest):
    answer = call(rest, "regress", {"signature_name": "x", "context": {"x": 7.0}, "examples": [{}, {"x": 1.0}]})
    assert json.loads(answer.body) == {"results": [7.0, 1.0]}


@pytest.mark.parametrize("verb", ["classify", "regress"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "JSON Parse error: Missing a name for object member. at offset: 1"),
        ('{"a":1}', "JSON Value: {\"a\":1} When method is classify, key 'examples' is expected and was not found"),
        ('{"examples":1}', "JSON Value: {\"examples\":1} Expecting 'examples' value to be an list/array"),
        ('{"examples":[]}', "JSON Value: {\"examples\":[]} 'examples' value is an empty array"),
        ('{"examples":[1]}', "Example must be JSON object but got JSON Number"),
        ('{"examples":[null]}', "Example must be JSON object but got JSON Null"),
        ('{"examples":[{}], "context": []}', "Example must be JSON object but got JSON Array"),
        ('{"examples":[{"f": null}]}', "Feature: f has element with unexpected JSON type: Null"),
        ('{"examples":[{"f": [[1]]}]}', "Feature: f has element with unexpected JSON type: Array"),
        ('{"examples":[{"f": {"a": 1}}]}', "Feature: f has element with unexpected JSON type: Object"),
        ('{"examples":[{"f": [1, "a"]}]}', "Unexpected element type in feature: f expecting type: int64"),
        ('{"examples":[{"f": [1.5, 1]}]}', "Unexpected element type in feature: f expecting type: float"),
        ('{"examples":[{"f": ["a", 1]}]}', "Unexpected element type in feature: f expecting type: bytes"),
        ('{"examples":[{"f": 9223372036854775808}]}', "Feature: f has uint64_t element. Only int64_t is supported."),
        ('{"examples":[{"f": {"b64": "!"}}]}', "Unable to base64 decode"),
        ('{"examples":[{}], "signature_name": "nope"}', "No signature was found with the name: nope"),
    ],
)
def test_wrong_bodies_get_upstreams_message(rest, verb, body, message):
    answer = call(rest, verb, body)
    assert (answer.status, answer.error) == (400, message)


@pytest.mark.parametrize(
    ("verb", "signature", "message"),
    [
        ("classify", "value", "Expected classification signature outputs to contain at least one of"),
        ("classify", "scores_of_double", "Expected scores Tensor of DT_FLOAT. Got: DT_DOUBLE"),
        ("classify", "flat_scores", "Expected Tensor shape: [batch_size num_classes] but got [1]"),
        ("regress", "only_classes", "No regression outputs found in SignatureDef: "),
        ("regress", "value_of_int", "Expected output Tensor of DT_FLOAT.  Got: DT_INT64"),
    ],
)
def test_a_signature_that_cannot_is_named(rest, verb, signature, message):
    answer = call(rest, verb, {"signature_name": signature, "examples": [{}]})
    assert answer.status == 400
    assert answer.error.startswith(message)


def test_serialized_junk_is_the_runtimes_refusal(rest):
    answer = call(rest, "regress", {"signature_name": "x", "examples": [{"x": "text"}]})
    assert answer.status == 400
    assert "x" in answer.error
