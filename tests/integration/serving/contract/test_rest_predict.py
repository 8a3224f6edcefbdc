"""Bodies of REST predict calls: what is read, what is written, and in which words a request is refused."""

from __future__ import annotations

import base64
import json
import math

import pytest

from tests.integration.serving.contract.zoo import INTEGERS


def outputs(answer) -> object:
    assert answer.status == 200, answer.text
    return json.loads(answer.body)["outputs"]


def predictions(answer) -> object:
    assert answer.status == 200, answer.text
    return json.loads(answer.body)["predictions"]


def asked(signature: str, rest_of_body: str) -> str:
    return f'{{"signature_name": "{signature}", {rest_of_body}}}'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"instances": [1.0, 2.0]}', [3.5, 4.0]),
        ('{"instances": [1, 2]}', [3.5, 4.0]),
        ('{"instances": [[1], [2]]}', [[3.5], [4.0]]),
        ('{"instances": [{"x": 1}, {"x": 2}]}', [3.5, 4.0]),
        ('{"instances": [{"x": [1]}]}', [[3.5]]),
        ('  {"instances": [1], "unknown": {"a": null}} trailing', [3.5]),
        ('{"instances": [1], "instances": [2]}', [3.5]),
        ('{"signature_name": "", "instances": [1]}', [3.5]),
    ],
)
def test_rows_are_predictions(rest, body, expected):
    assert predictions(rest.predict("half", body)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"inputs": [1.0, 2.0]}', [3.5, 4.0]),
        ('{"inputs": 1}', 3.5),
        ('{"inputs": {"x": [1]}}', [3.5]),
        ('{"inputs": {"x": [1], "other": "ignored"}}', [3.5]),
        ('{"inputs": []}', []),
    ],
)
def test_columns_are_outputs(rest, body, expected):
    assert outputs(rest.predict("half", body)) == expected


def test_several_inputs_and_outputs_go_by_name(rest):
    rows = '{"instances": [{"x": 1.5, "n": 2}, {"x": 2, "n": 3}]}'
    assert predictions(rest.predict("columns", rows)) == [{"sum": 3.5, "count": 2}, {"sum": 5.0, "count": 3}]
    columns = '{"inputs": {"x": [1.5, 2], "n": [2, 3]}}'
    assert outputs(rest.predict("columns", columns)) == {"sum": [3.5, 5.0], "count": [2, 3]}


def test_strings_are_plain_and_bytes_are_base64(rest):
    secret = base64.b64encode(b"\xff\0").decode()
    body = asked("strings", f'"instances": ["a\\u00e9", {{"b64": "{secret}"}}]')
    answer = rest.predict("columns", body)
    assert answer.status == 200
    rows = json.loads(answer.text)["predictions"]
    assert [row["text_bytes"]["b64"] for row in rows] == [base64.b64encode("aé".encode()).decode(), secret]
    assert [row["text"].encode("utf-8", "surrogateescape") for row in rows] == ["aé".encode(), b"\xff\0"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1", "1.0"),
        ("0.2", "0.2"),
        ("-0.0", "-0.0"),
        ("9000000", "9e+06"),
        ("0.00003", "3e-05"),
        ("16777215", "16777215.0"),
        ("0.3333333333333333", "0.333333343"),
        ("1e30", "1e+30"),
        ("NaN", "NaN"),
        ("Inf", "Infinity"),
        ("Infinity", "Infinity"),
        ("-Inf", "-Infinity"),
        ("-Infinity", "-Infinity"),
    ],
)
def test_floats_print_in_six_digits_or_in_full(rest, value, text):
    answer = rest.predict("echo", asked("float32", f'"instances": [{value}]'))
    assert (answer.status, answer.text) == (200, '{\n    "predictions": [' + text + "\n    ]\n}")


def test_doubles_keep_seventeen_digits(rest):
    answer = rest.predict("echo", asked("float64", '"instances": [0.1, 0.30000000000000004]'))
    assert answer.text == '{\n    "predictions": [0.1, 0.30000000000000004\n    ]\n}'


@pytest.mark.parametrize("dtype", [name for name in INTEGERS if name != "uint16"])
def test_integers_stay_integers(rest, dtype):
    assert predictions(rest.predict("echo", asked(dtype, '"instances": [0, 1, 127]'))) == [0, 1, 127]


@pytest.mark.parametrize(
    ("dtype", "value"), [("int64", 2**63 - 1), ("int64", -(2**63)), ("uint64", 2**64 - 1), ("uint32", 2**32 - 1), ("int32", -(2**31))]
)
def test_large_integers_lose_nothing(rest, dtype, value):
    assert predictions(rest.predict("echo", asked(dtype, f'"instances": [{value}]'))) == [value]


def test_booleans_stay_booleans(rest):
    assert predictions(rest.predict("echo", asked("bool", '"instances": [true, false]'))) == [True, False]


@pytest.mark.parametrize("shape", [[], [[]], [[[1.0], [2.0]]], [[[1.0, 2.0]], [[3.0, 4.0]]]])
def test_nested_lists_keep_their_shape(rest, shape):
    assert outputs(rest.predict("echo", asked("float32", f'"inputs": {json.dumps(shape)}'))) == shape


def type_error(value: str, kind: str, expected: str) -> str:
    return f"JSON Value: {value} Type: {kind} is not of expected type: {expected}"


ROW = "Failed to process element: {} of 'instances' list. Error: INVALID_ARGUMENT: "


@pytest.mark.parametrize(
    ("model", "body", "message"),
    [
        ("half", "", "JSON Parse error: The document is empty"),
        ("half", "{", "JSON Parse error: Missing a name for object member. at offset: 1"),
        ("half", '{"instances": [1,]}', "JSON Parse error: Invalid value. at offset: 17"),
        ("half", '{"instances" [1]}', "JSON Parse error: Missing a colon after a name of object member. at offset: 13"),
        ("half", '{"instances": [1 2]}', "JSON Parse error: Missing a comma or ] after an array element. at offset: 17"),
        ("half", '{"instances": [1] "a": 1}', "JSON Parse error: Missing a comma or } after an object member. at offset: 18"),
        ("half", "[1]", "JSON Value: [1] Is not object"),
        (
            "half",
            '{"signature_name": 5, "instances": [1]}',
            'JSON Value: {"signature_name":5,"instances":[1]} not formatted correctly. \'signature_name\' key must be a string value.',
        ),
        ("half", asked("nope", '"instances": 5'), 'Serving signature name: "nope" not found in signature def'),
        ("half", "{}", "Missing 'inputs' or 'instances' key"),
        ("columns", asked("constant", '"instances": 5'), "Failed to get input map for signature: constant"),
        ("half", '{"instances": 5}', "JSON Value: {\"instances\":5} Expecting 'instances' to be an list/array"),
        ("half", '{"instances": []}', "JSON Value: {\"instances\":[]} No values in 'instances' array"),
        ("half", '{"instances": ["a"]}', ROW.format("0") + type_error('"a"', "String", "float")),
        ("half", '{"instances": [1, null]}', ROW.format("1") + type_error("null", "Null", "float")),
        ("half", '{"instances": [true]}', ROW.format("0") + type_error("true", "True", "float")),
        ("half", '{"instances": [1, [2]]}', ROW.format("1") + "Expecting shape [] but got: [1]"),
        ("half", '{"instances": [[1, 2], [3]]}', ROW.format("1") + "Expecting tensor size: 2 but got: 1"),
        ("half", '{"instances": [[[1, 2], [3]]]}', ROW.format("0") + "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
        (
            "half",
            '{"instances": [[[1], 2]]}',
            ROW.format("0") + "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
        ),
        ("half", '{"instances": [[1, [2]]]}', ROW.format("0") + "Encountered list at unexpected level: 1 expected < 1"),
        ("half", '{"instances": [{"x": 1}, 2]}', "Expecting object but got list at item 1 of input list"),
        ("half", '{"instances": [1, {"x": 2}]}', "Expecting value/list but got object at item 1 of input list"),
        ("half", '{"instances": [{"z": 1}]}', ROW.format("0 key: z") + "JSON object: does not have named input: z"),
        (
            "columns",
            '{"instances": [{"x": 1}]}',
            "Failed to process element: 0 of 'instances' list. JSON object: {\"x\":1} keys must be equal to: n,x",
        ),
        (
            "columns",
            '{"instances": [1]}',
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map",
        ),
        (
            "columns",
            '{"inputs": [1]}',
            "inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map",
        ),
        ("columns", '{"inputs": {"x": [1]}}', "Missing named input: n in 'inputs' object."),
        ("defaults", '{"inputs": {"x": [1]}}', "Missing named input: n in 'inputs' object."),
        ("columns", '{"instances": [{"x": 1, "n": 1.0}]}', ROW.format("0 key: n") + type_error("1.0", "Number", "int64")),
        ("half", '{"inputs": {"x": {"b64": "YQ=="}}}', type_error('{"b64":"YQ=="}', "Object", "float")),
        ("columns", asked("text", '"inputs": {"s": {"b64": 1}}'), 'JSON Value: {"b64":1} not formatted correctly for base64 data'),
        ("columns", asked("text", '"inputs": {"b64": "!"}'), "Unable to base64 decode"),
        ("columns", asked("total", '"instances": [1, 2]'), "Tensor name: total has no shape information "),
        ("columns", asked("uneven", '"instances": [1]'), "Tensor name: b has inconsistent batch size: 2 expecting: 1"),
        ("columns", asked("halves", '"instances": [1]'), "Failed to write JSON value for tensor type: half"),
        ("echo", asked("int32", '"instances": [2147483648]'), ROW.format("0") + type_error("2147483648", "Number", "int32")),
        ("echo", asked("uint32", '"instances": [-1]'), ROW.format("0") + type_error("-1", "Number", "uint32")),
        ("echo", asked("int8", '"instances": [1.0]'), ROW.format("0") + type_error("1.0", "Number", "int8")),
        ("echo", asked("bool", '"instances": [1]'), ROW.format("0") + type_error("1", "Number", "bool")),
        ("echo", asked("string", '"instances": [1]'), ROW.format("0") + type_error("1", "Number", "string")),
    ],
)
def test_wrong_bodies_get_upstreams_message(rest, model, body, message):
    answer = rest.predict(model, body)
    assert (answer.status, answer.error) == (400, message)


def test_two_formats_at_once_are_refused(rest):
    answer = rest.predict("half", '{"instances": [1], "inputs": [1]}')
    assert answer.status == 400
    assert answer.error.strip() == (
        "JSON Value: {\"instances\":[1],\"inputs\":[1]} Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
    )


@pytest.mark.parametrize(
    ("dtype", "name"), [("float16", "half"), ("bfloat16", "bfloat16"), ("complex64", "complex64"), ("complex128", "complex128")]
)
def test_types_that_json_cannot_carry_are_not_implemented(rest, dtype, name):
    answer = rest.predict("echo", asked(dtype, '"inputs": [1]'))
    assert (answer.status, answer.error) == (501, f"Conversion of JSON Value: 1 to type: {name}")


def test_a_shown_value_is_cut(rest):
    answer = rest.predict("half", json.dumps({"instances": 5, "more": "x" * 1000}))
    shown = answer.error.removeprefix("JSON Value: ").removesuffix(" Expecting 'instances' to be an list/array")
    assert len(shown) <= 256 + len("...")


def test_a_shape_that_the_graph_cannot_take_is_the_runtimes_refusal(rest):
    answer = rest.predict("columns", asked("product", '"inputs": {"a": [[1, 2]], "b": [[1, 2]]}'))
    assert answer.status == 400
    assert "Matrix size-incompatible" in answer.error


def test_a_missing_batch_dimension_is_no_error(rest):
    assert math.isclose(outputs(rest.predict("half", '{"inputs": 1.0}')), 3.5)
