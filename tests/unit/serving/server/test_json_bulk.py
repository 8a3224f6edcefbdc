"""Large requests of numbers are read as the ordinary reader reads them, or left to it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from serving.protocol import json_text, predict
from serving.protocol.predict import Format
from serving.protocol.signature import SignatureSpec, TensorSpec
from serving.server import json_bulk

DTYPES = ("float32", "float64", "int8", "int32", "int64", "uint8", "uint32", "uint64")


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(json_bulk, "SMALLEST_BYTES", 0)


def signature(dtype: str, *more: str) -> SignatureSpec:
    return SignatureSpec("s", "", {name: TensorSpec(dtype) for name in ("x", *more)}, {})


def ordinary(body: bytes, spec: SignatureSpec) -> tuple[Format, dict[str, np.ndarray]]:
    document = json_text.parse_object(body)
    return predict.read_inputs(document, spec, predict.read_signature_name(document))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("key", ["instances", "inputs"])
@pytest.mark.parametrize("shape", [(1,), (3,), (2, 3), (1, 2, 1, 2)])
@pytest.mark.parametrize("named", ["", "first", "last"])
def test_it_reads_what_the_ordinary_reader_reads(dtype, key, shape, named):
    values = (np.arange(np.prod(shape)).reshape(shape) * (1 if "int" in dtype else 0.7)).tolist()
    document = {"signature_name": "s", key: values} if named == "first" else {key: values}
    if named == "last":
        document["signature_name"] = "s"
    body = json.dumps(document).encode()
    found = json_bulk.read(body)
    assert found is not None
    assert found.signature_name == ("s" if named else "")
    form, arrays = found.inputs(signature(dtype))
    wanted_form, wanted = ordinary(body, signature(dtype))
    assert form is wanted_form
    assert arrays["x"].dtype == wanted["x"].dtype
    np.testing.assert_array_equal(arrays["x"], wanted["x"])


@pytest.mark.parametrize(
    ("body", "dtype"),
    [
        (b'{"instances": [[1, 2], [3]]}', "float32"),
        (b'{"instances": [[1, 2], 3]}', "float32"),
        (b'{"instances": [1, [2, 3]]}', "float32"),
        (b'{"instances": [[1], [[2]]]}', "float32"),
        (b'{"instances": [1, true]}', "float32"),
        (b'{"instances": [1, "2"]}', "float32"),
        (b'{"instances": [1, null]}', "float32"),
        (b'{"instances": [1.0]}', "int32"),
        (b'{"instances": [300]}', "uint8"),
        (b'{"instances": [-1]}', "uint32"),
        (b'{"instances": [[]]}', "float32"),
        (b'{"instances": ["a"]}', "string"),
        (b'{"instances": [1], "signature_name": "a,b"}', "float32"),
    ],
)
def test_what_is_no_regular_tensor_is_left_to_the_ordinary_reader(body, dtype):
    found = json_bulk.read(body)
    assert found is None or found.inputs(signature(dtype)) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"[1]", b"{", b'{"instances": [NaN]}', b'{"instances": [1]} tail', b'{"instances": [1], "inputs": [1]}', b'{"instances": 1}',
     b'{"instances": [1], "other": 2}', b'{"instances": [1], "signature_name": 7}', b'{"instances": [\xff]}', b'{"instances": [1e999]}'],
)  # fmt: skip
def test_what_is_no_such_request_is_left_to_the_ordinary_reader(body):
    assert json_bulk.read(body) is None


def test_of_two_equal_keys_the_first_counts():
    found = json_bulk.read(b'{"instances": [1], "instances": [2, 3]}')
    assert found is None or found.inputs(signature("float32")) is None  # the brackets are not those of one tensor


def test_two_inputs_are_left_to_the_ordinary_reader():
    found = json_bulk.read(b'{"instances": [1, 2]}')
    assert found.inputs(signature("float32", "y")) is None


def test_numbers_beyond_float32_are_infinite_as_everywhere():
    _, arrays = json_bulk.read(b'{"instances": [1e300]}').inputs(signature("float32"))
    assert arrays["x"].tolist() == [float("inf")]


def test_one_thread_reads_one_request_after_the_other():
    first = json_bulk.read(b'{"instances": [1]}')
    second = json_bulk.read(b'{"instances": [2]}')
    assert second is None or second.inputs(signature("float32"))[1]["x"].tolist() == [2.0]
    assert first.inputs(signature("float32"))[1]["x"].tolist() == [1.0]


def test_small_requests_are_not_looked_at(monkeypatch):
    monkeypatch.setattr(json_bulk, "SMALLEST_BYTES", 4096)
    assert json_bulk.read(b'{"instances": [1]}') is None
