"""A form from a signature: what a person fills in, where a person can."""

from __future__ import annotations

import json

import pytest

from serving.gateway.forms import form, form_signature, image_input, kind_of, signatures_document
from serving.protocol.dtypes import BY_NAME
from serving.protocol.signature import CLASSIFY_METHOD, PREDICT_METHOD, SignatureSpec, TensorSpec

ROW = (None,)


def spec(name: str, method: str = PREDICT_METHOD, **inputs: tuple[str, tuple[int | None, ...] | None]) -> SignatureSpec:
    return SignatureSpec(name, method, {alias: TensorSpec(*tensor) for alias, tensor in inputs.items()}, {"y": TensorSpec("float32", ROW)})


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "kind"),
    [
        ("fare", "float32", ROW, "number"),
        ("hour", "int64", ROW, "whole"),
        ("hour", "uint8", ROW, "whole"),
        ("new", "bool", ROW, "flag"),
        ("street", "string", ROW, "text"),
        ("image", "string", ROW, "image"),
        ("Photo", "string", ROW, "image"),
        ("image_bytes", "string", ROW, "image"),
        ("pixels", "float32", (None, 8, 8), "numbers"),
        ("image", "float32", (None, 8, 8), "numbers"),
        ("words", "string", (None, 3), "other"),
        ("flags", "bool", (None, 3), "other"),
        ("matrix", "float32", (None, None), "other"),
        ("any", "float32", None, "other"),
        ("scalar", "float32", (), "other"),
        ("z", "complex64", ROW, "other"),
        ("v", "type21", ROW, "other"),
    ],
)
def test_what_is_entered(name, dtype, shape, kind):
    assert kind_of(name, TensorSpec(dtype, shape)) == kind


@pytest.mark.parametrize("dtype", [*BY_NAME, "type21"])
@pytest.mark.parametrize("shape", [None, (), ROW, (None, 2)], ids=str)
def test_every_signature_can_be_shown(dtype, shape):
    signatures = {"predict": spec("predict", x=(dtype, shape))}
    json.dumps([form(signatures), signatures_document(signatures)], allow_nan=False)


def test_the_form_is_of_named_columns_rather_than_of_examples():
    signatures = {
        "classify": spec("classify", CLASSIFY_METHOD, inputs=("string", ROW)),
        "predict": spec("predict", fare=("float32", ROW), company=("string", ROW), hour=("int64", ROW), new=("bool", ROW)),
        "serving_default": spec("serving_default", examples=("string", ROW)),
    }
    found = form(signatures)
    assert found is not None
    assert (found["signature"], found["outputs"]) == ("predict", ["y"])
    assert {field["name"]: (field["kind"], field["missing"]) for field in found["fields"]} == {
        "fare": ("number", "NaN"),
        "company": ("text", ""),
        "hour": ("whole", -1),
        "new": ("flag", None),
    }


@pytest.mark.parametrize(
    "signatures",
    [
        {},
        {"serving_default": spec("serving_default", examples=("string", ROW))},
        {"serving_default": spec("serving_default", inputs=("string", ROW))},
        {"classify": spec("classify", CLASSIFY_METHOD, inputs=("string", ROW))},
        {"serving_default": spec("serving_default")},
        {"serving_default": spec("serving_default", x=("float32", None))},
    ],
)
def test_what_only_programs_can_ask_has_no_form(signatures):
    assert form(signatures) is None


def test_any_other_signature_will_do():
    assert form_signature({"b": spec("b", x=("float32", ROW)), "a": spec("a", x=("float32", None))}).name == "b"  # type: ignore[union-attr]


def test_an_image_goes_to_the_signature_that_needs_nothing_else():
    assert image_input(spec("predict", image=("string", ROW))) == "image"
    assert image_input(spec("predict", image=("string", ROW), size=("int64", ROW))) is None
    assert image_input(spec("predict", text=("string", ROW))) is None
    assert image_input(spec("predict")) is None
