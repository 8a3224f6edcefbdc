"""What the reader of large requests takes, the ordinary reader takes too, and both give the same tensors."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from serving.protocol import json_text, predict
from serving.protocol.signature import SignatureSpec, TensorSpec
from serving.server import json_bulk
from tests.integration.serving.fuzz import mutation

BODIES = 4_000
DTYPES = ("float32", "float64", "int8", "int32", "int64", "uint8", "uint32", "uint64", "bool", "string")
NUMBERS = ("0", "1", "-1", "-0", "-0.0", "1.5", "1e39", "1e308", "127", "128", "256", "4294967295", "4294967296", "9007199254740993")
LIMITS = ("9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775808", "16777217")
MARK = "@"


def text_of(random: Random) -> bytes:
    """A request of nested lists of numbers, most of them right."""
    kinds = random.choice(
        (("1", "2", "-3"), ("1.5", "2", "1e5"), NUMBERS, NUMBERS + LIMITS, (*NUMBERS, "true", "null", '"a"', "NaN", "1e400"))
    )
    shape = [random.choice((1, 1, 2, 3, 5)) for _ in range(random.choice((1, 1, 2, 3, 4)))]
    value: Any = MARK
    for size in reversed(shape):
        value = [value] * size
    members = {random.choice(("instances", "inputs")): value}
    if random.random() < 0.4:
        members["signature_name"] = random.choice(("", "serving_default", "a,[]", "[", None))
    parts = json.dumps(members).split(f'"{MARK}"')
    body = "".join(part + random.choice(kinds) for part in parts[:-1]) + parts[-1]
    return mutation.spoil_bytes(random, body.encode(), 2) if random.random() < 0.4 else body.encode()


def ordinary(body: bytes, signature: SignatureSpec) -> Any:
    document = json_text.parse_object(body)
    asked = predict.read_signature_name(document)
    return predict.read_inputs(document, signature, asked), asked


def test_both_readers_agree(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(json_bulk, "SMALLEST_BYTES", 0)
    taken, found = 0, None
    for number in range(BODIES):
        random = Random(f"{seed} bulk {number}")
        body, dtype = text_of(random), random.choice(DTYPES)
        signature = SignatureSpec("serving_default", "tensorflow/serving/predict", {"x": TensorSpec(dtype)}, {})
        found = None  # the parser reads nothing new while something holds what it read last
        found = json_bulk.read(body)
        inputs = None if found is None else found.inputs(signature)
        if found is None or inputs is None:
            continue
        taken += 1
        where = f"SLUICEWAY_FUZZ_SEED={seed}, {number}: {dtype} {body!r}"
        (form, arrays), asked = ordinary(body, signature)
        assert (inputs[0], found.signature_name) == (form, asked), where
        assert (inputs[1]["x"].dtype, inputs[1]["x"].shape) == (arrays["x"].dtype, arrays["x"].shape), where
        assert inputs[1]["x"].tobytes() == arrays["x"].tobytes(), where
    assert taken > 0.1 * BODIES
