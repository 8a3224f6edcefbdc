"""A client of TF Serving changes the address and nothing else: the gateway's answers are the server's own, byte for byte."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from serving.protocol.assertions import own_sentence
from tests.integration.serving.contract.clients import HttpAnswer, Rest
from tests.integration.serving.contract.zoo import DTYPES, INTEGERS

RAW = base64.b64encode(b"\xff\0raw").decode()


def named(signature: str, rest_of_body: str) -> str:
    return f'{{"signature_name": "{signature}", {rest_of_body}}}'


@pytest.fixture(scope="module")
def both(server, front) -> tuple[Rest, Rest]:
    return Rest(server.rest_address), front.rest


def same(both: tuple[Rest, Rest], method: str, path: str, body: str | bytes | None = None, **headers: str) -> HttpAnswer:
    own, through = (rest.ask(method, path, body, **headers) for rest in both)
    assert own.status == 200, own.text
    assert (through.status, through.body) == (own.status, own.body)
    assert through.headers["content-type"] == own.headers["content-type"]
    return through


ROWS = [
    ("half", '{"instances": [1.0, 2.0, 5.0]}'),
    ("half", '{"instances": [[1], [2]]}'),
    ("half", '{"instances": [{"x": 1}, {"x": 2}]}'),
    ("half", '{"instances": [{"x": [1]}]}'),
    ("half", '  {"instances": [1], "unknown": {"a": null}} trailing'),
    ("half", '{"instances": [1], "instances": [2]}'),
    ("half", '{"signature_name": "", "instances": [1]}'),
    ("half", '{"inputs": [1.0, 2.0]}'),
    ("half", '{"inputs": 1}'),
    ("half", '{"inputs": {"x": [1], "other": "ignored"}}'),
    ("half", '{"inputs": []}'),
    ("columns", '{"instances": [{"x": 1.5, "n": 2}, {"x": 2, "n": 3}]}'),
    ("columns", '{"inputs": {"x": [1.5, 2], "n": [2, 3]}}'),
    ("columns", named("strings", f'"instances": ["a\\u00e9", {{"b64": "{RAW}"}}, "\\u0000"]')),
    ("columns", named("strings", '"inputs": ["a", "b"]')),
    ("columns", named("text", '"inputs": [["a"], ["b"]]')),
    ("columns", named("column", '"instances": [1.0, 2.0, 5.0]')),
    ("columns", named("column", '"instances": [[1.0], [2.0]]')),
    ("columns", named("column", '"inputs": 1.0')),
    ("columns", named("matrix", '"instances": [[1, 2], [3, 4]]')),
    ("columns", named("total", '"inputs": [1, 2, 3]')),
    ("columns", named("uneven", '"inputs": [1, 2, 3]')),
    ("keras", '{"instances": [{"a": [1.0], "b": [2.0]}]}'),
    ("keras", '{"inputs": {"a": [[1.0]], "b": [[2.0]]}}'),
    ("warm", '{"instances": [1.0]}'),
]


@pytest.mark.parametrize(("model", "body"), ROWS)
def test_predictions(both, model, body):
    answer = same(both, "POST", f"/v1/models/{model}:predict", body)
    assert answer.headers["x-model-version"] == ("2" if model == "half" else "1")


@pytest.mark.parametrize(
    "value", ["1", "0.2", "-0.0", "9000000", "0.00003", "16777215", "0.3333333333333333", "1e30", "NaN", "Inf", "-Infinity"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats(both, dtype, value):
    same(both, "POST", "/v1/models/echo:predict", named(dtype, f'"instances": [{value}]'))


@pytest.mark.parametrize("dtype", [name for name in INTEGERS if name != "uint16"])
def test_integers(both, dtype):
    same(both, "POST", "/v1/models/echo:predict", named(dtype, '"instances": [0, 1, 127]'))


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("bool", "[true, false]"),
        ("string", f'["a", {{"b64": "{RAW}"}}]'),
        ("int64", f"[{2**63 - 1}, {-(2**63)}]"),
        ("uint64", f"[{2**64 - 1}]"),
        ("float32", "[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]"),
        ("float32", "[[], []]"),
    ],
)
def test_other_types_and_shapes(both, dtype, values):
    for key in ("instances", "inputs"):
        same(both, "POST", "/v1/models/echo:predict", named(dtype, f'"{key}": {values}'))


def test_strings_that_are_not_unicode(both):
    same(both, "POST", "/v1/models/echo:predict", b'{"signature_name": "string", "instances": ["\xff\xfe"]}')


def test_a_gzipped_body(both):
    same(both, "POST", "/v1/models/half:predict", gzip.compress(b'{"instances": [1.0]}'), content_encoding="gzip")


def test_a_large_body(both):
    body = named("float32", '"instances": ' + json.dumps([[number / 7 for number in range(100)]] * 500))
    assert len(body) > 500_000
    same(both, "POST", "/v1/models/echo:predict", body)


@pytest.mark.parametrize(
    ("verb", "model", "body"),
    [
        ("regress", "examples", named("x", '"examples": [{"x": 1.5}, {"x": [2.0]}, {}]')),
        ("regress", "examples", named("i", '"examples": [{"i": 3}, {"i": [true]}]')),
        ("regress", "examples", named("x", '"context": {"x": 7.0}, "examples": [{}, {"x": 1.0}]')),
        ("regress", "half", named("regress_x_to_y", '"examples": [{"x": 1.0}, {"x": [2.0]}]')),
        ("classify", "half", named("classify_x_to_y", '"examples": [{"x": 1.0}]')),
        ("classify", "examples", '{"examples": [{}, {}]}'),
        ("classify", "examples", named("s", f'"examples": [{{"s": "é"}}, {{"s": {{"b64": "{base64.b64encode(b"raw").decode()}"}}}}]')),
    ],
)
def test_examples(both, verb, model, body):
    same(both, "POST", f"/v1/models/{model}:{verb}", body)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/half",
        "/V1/Models/half",
        "/v1/models/%68alf",
        "/v1/models/half/versions/1",
        "/v1/models/half/labels/stable",
        "/v1/models/half/metadata",
        "/v1/models/half/versions/1/metadata",
        "/v1/models/half/labels/canary/metadata",
        *(f"/v1/models/{model}/metadata" for model in ("columns", "examples", "echo", "keras", "defaults")),
    ],
)
def test_status_and_metadata(both, path):
    same(both, "GET", path)


@pytest.mark.parametrize(
    ("path", "version"), [("/versions/1", "1"), ("/versions/2", "2"), ("/labels/stable", "1"), ("/labels/canary", "2"), ("", "2")]
)
def test_versions_and_labels(both, path, version):
    assert same(both, "POST", f"/v1/models/half{path}:predict", '{"instances": [1.0]}').headers["x-model-version"] == version


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/models", None),
        ("GET", "/v1/models/nope", None),
        ("GET", "/v1/models/nope/metadata", None),
        ("GET", "/v1/models/half/versions/9", None),
        ("PUT", "/v1/models/half", None),
        ("POST", "/v1/models/half", "{}"),
        ("POST", "/v1/models/half:PREDICT", "{}"),
        ("POST", "/v1/models/nope:predict", '{"instances": [1]}'),
        ("POST", "/v1/models/half/versions/9:predict", '{"instances": [1]}'),
        ("POST", "/v1/models/half/labels/nope:predict", '{"instances": [1]}'),
        ("POST", f"/v1/models/half/versions/{'9' * 30}:predict", '{"instances": [1]}'),
        ("POST", "/v1/models/columns:predict", named("halves", '"instances": [1]')),
        ("POST", "/v1/models/columns:predict", named("total", '"instances": [1]')),
        ("POST", "/v1/models/columns:predict", named("uneven", '"instances": [1, 2]')),
        ("POST", "/v1/models/columns:predict", named("product", '"inputs": {"a": [[1, 2]], "b": [[1, 2]]}')),
        ("POST", "/v1/models/examples:classify", named("mismatch", '"examples": [{}]')),
    ],
)
def test_errors_are_the_servers_own_words_without_names_of_nodes(both, method, path, body):
    own, through = (rest.ask(method, path, body) for rest in both)
    assert own.status >= 400
    assert (through.status, through.error) == (own.status, own_sentence(own.error))


@pytest.mark.parametrize("dtype", [name for name in DTYPES if name in ("float16", "bfloat16", "uint16", "complex64", "complex128")])
def test_types_that_json_has_no_form_for_are_refused_with_the_field(both, dtype):
    own, through = (rest.predict("echo", named(dtype, '"instances": [1]')) for rest in both)
    assert own.status >= 400
    assert through.status == 422
    assert json.loads(through.body)["problems"][0]["field"] == "instances[0]"


@pytest.mark.parametrize(
    ("model", "body", "field"),
    [
        ("half", "", ""),
        ("half", "{", ""),
        ("half", "[1]", ""),
        ("half", '{"instances": ["a"]}', "instances[0]"),
        ("columns", '{"instances": [{"x": 1, "n": 1}, {"x": 1}]}', "instances[1].n"),
        ("columns", '{"instances": [{"x": 1, "n": 1, "m": 1}]}', "instances[0].m"),
        ("columns", '{"inputs": {"x": [1]}}', "inputs.n"),
        ("columns", named("nope", '"instances": [1]'), "signature_name"),
    ],
)
def test_what_the_server_would_refuse_is_refused_before_with_the_field(both, model, body, field):
    own, through = (rest.predict(model, body) for rest in both)
    assert (own.status, through.status) == (400, 422)
    assert json.loads(through.body)["problems"][0]["field"] == field
