"""What does not fit is told with its field, before it costs a call; what TF Serving would take is never refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.gateway import checks
from serving.gateway.checks import Problem, Unfit, find_signature, read_inputs
from serving.protocol.predict import Format
from serving.protocol.signature import CLASSIFY_METHOD, PREDICT_METHOD, REGRESS_METHOD, SignatureSpec, TensorSpec


def signature(method: str = PREDICT_METHOD, name: str = "serving_default", **inputs: tuple[str, tuple[int | None, ...] | None]):
    specs = {alias: TensorSpec(dtype, shape) for alias, (dtype, shape) in inputs.items()}
    return SignatureSpec(name, method, specs, {"y": TensorSpec("float32", (None,))})


FLAT = signature(x=("float32", (None,)))
HOUSE = signature(rooms=("float32", (None,)), street=("string", (None,)), new=("bool", (None,)), floor=("int64", (None,)))
DIGIT = signature(pixels=("float32", (None, 2, 2)))
GOOD = {"rooms": 3.5, "street": "Elm", "new": True, "floor": 2}


def problems(document: object, spec: SignatureSpec = HOUSE, most: int = 8) -> list[tuple[str, str]]:
    with pytest.raises(Unfit) as caught:
        read_inputs(document, spec, most)
    return [(problem.field, problem.problem) for problem in caught.value.problems]


def test_rows_and_columns_become_tensors():
    form, arrays = read_inputs({"instances": [GOOD, {**GOOD, "rooms": 1}]}, HOUSE, 8)
    assert form is Format.ROW
    assert arrays["rooms"].tolist() == [3.5, 1.0]
    form, arrays = read_inputs({"inputs": {name: [value] for name, value in GOOD.items()}}, HOUSE, 8)
    assert form is Format.COLUMNAR
    assert arrays["street"].tolist() == [b"Elm"]


@pytest.mark.parametrize(
    ("change", "field", "saying"),
    [
        ({"rooms": "six"}, "instances[1].rooms", "the model takes numbers"),
        ({"rooms": None}, "instances[1].rooms", "null does not fit"),
        ({"rooms": True}, "instances[1].rooms", "the model takes numbers"),
        ({"floor": 1.5}, "instances[1].floor", "the model takes whole numbers"),
        ({"floor": 2**63}, "instances[1].floor", "the model takes whole numbers"),
        ({"new": 1}, "instances[1].new", "the model takes true or false"),
        ({"street": 7}, "instances[1].street", "the model takes texts"),
        ({"street": {"b64": "*"}}, "instances[1].street", "the model takes texts"),
        ({"garden": 1}, "instances[1].garden", "unknown; the model takes: floor, new, rooms, street"),
        ({"rooms": [1, 2]}, "instances[1].rooms", "has the shape [2]; the model takes []"),
    ],
    ids=str,
)
def test_the_field_is_named(change, field, saying):
    found = problems({"instances": [GOOD, {**GOOD, **change}]})
    assert [name for name, _ in found] == [field]
    assert saying in found[0][1]


def test_a_missing_field_is_named():
    row = {name: value for name, value in GOOD.items() if name != "new"}
    assert problems({"instances": [row]}) == [("instances[0].new", "missing; the model takes true or false")]
    columns = {name: [value] for name, value in row.items()}
    assert problems({"inputs": columns})[0] == ("inputs.new", "missing; the model takes true or false")


def test_several_problems_are_told_at_once_and_no_more_than_ten():
    assert [field for field, _ in problems({"instances": [{**GOOD, "rooms": "a", "floor": "b"}]})] == [
        "instances[0].floor",
        "instances[0].rooms",
    ]
    assert len(problems({"instances": [{}] * 8})) == 10


@pytest.mark.parametrize("document", [lambda row: {"instances": [row] * 3}, lambda row: {"inputs": row}], ids=["rows", "columns"])
def test_a_thousand_unknown_fields_are_not_all_written_about(document, monkeypatch):
    made: list[str] = []

    def problem(field: str, told: str) -> Problem:
        made.append(field)
        return Problem(field, told)

    monkeypatch.setattr(checks, "Problem", problem)
    assert len(problems(document({f"x{number}": 1 for number in range(1000)}))) == 10
    assert len(made) < 20


def test_rows_that_are_no_objects_are_told_what_they_should_be():
    assert problems({"instances": [GOOD, 5]}) == [("instances[1]", "expected an object with floor, new, rooms, street, found a number")]


@pytest.mark.parametrize(
    ("document", "field", "saying"),
    [
        ({"instances": [1.0] * 9}, "instances", "9 rows; at most 8 at once"),
        ({"inputs": [1.0] * 9}, "inputs", "9 rows; at most 8 at once"),
        ({"inputs": {"x": [1.0] * 9}}, "inputs", "9 rows; at most 8 at once"),
        ({"instances": ["a"]}, "instances[0]", "the model takes numbers"),
        ({"inputs": ["a"]}, "inputs", "the model takes numbers"),
        ({"instances": []}, "instances", "give at least one row"),
        ({"instances": 5}, "instances", "expected a list"),
        ({"instances": [1], "inputs": [1]}, "", "only one of"),
        ({}, "", "Missing 'inputs' or 'instances' key"),
    ],
    ids=str,
)
def test_what_is_wrong_with_the_whole_is_told(document, field, saying):
    (found,) = problems(document, FLAT)
    assert found[0] == field
    assert saying in found[1]


@pytest.mark.parametrize("spec", [signature(x=("float32", (None, 1))), signature(x=("float32", None)), FLAT], ids=["column", "any", "flat"])
def test_a_size_of_one_may_be_left_out_as_clients_of_tf_serving_do(spec):
    assert read_inputs({"instances": [1.0, 2.0, 5.0]}, spec, 8)[1]["x"].shape == (3,)


def test_a_size_of_one_may_be_added():
    assert read_inputs({"instances": [[1.0], [2.0]]}, FLAT, 8)[1]["x"].shape == (2, 1)


@pytest.mark.parametrize("image", [[[1, 2], [3, 4], [5, 6]], [[1, 2, 3], [4, 5, 6]], [1, 2, 3, 4], 5], ids=str)
def test_an_image_of_another_size_is_told(image):
    (found,) = problems({"instances": [{"pixels": image}]}, DIGIT)
    assert found[0] in ("instances[*].pixels", "instances[0].pixels")
    assert "the model takes [any, 2, 2]" in found[1] or "the model takes [2, 2]" in found[1]


@pytest.mark.parametrize(
    ("asked", "verb", "found"),
    [("", "predict", "serving_default"), ("", "classify", "kinds"), ("kinds", "classify", "kinds"), ("kinds", "predict", "kinds")],
)
def test_the_signature_of_a_verb(asked, verb, found):
    signatures = {spec.name: spec for spec in (FLAT, signature(CLASSIFY_METHOD, "kinds", inputs=("string", (None,))))}
    assert find_signature(signatures, asked, verb).name == found


def test_what_tensorflow_2_exports_can_be_asked_with_examples():
    exported = signature(inputs=("string", (None,)))
    both = {spec.name: spec for spec in (exported, signature(CLASSIFY_METHOD, "kinds", inputs=("string", (None,))))}
    assert find_signature(both, "", "classify").name == "kinds"
    assert find_signature(both, "serving_default", "classify") is exported
    assert find_signature(both, "", "regress") is exported
    assert find_signature({"x": exported}, "x", "regress") is exported
    assert find_signature({"x": exported}, "", "regress") is exported


def test_hints_name_signatures_of_the_method_only():
    exported = signature(inputs=("string", (None,)))
    both = {spec.name: spec for spec in (exported, signature(REGRESS_METHOD, "value", inputs=("string", (None,))))}
    with pytest.raises(Unfit, match=r"for regress it has: value$"):
        find_signature(both, "nope", "regress")
    with pytest.raises(Unfit, match=r"for classify it has: none$"):
        find_signature(both, "nope", "classify")


@pytest.mark.parametrize(
    ("asked", "verb", "saying"),
    [
        ("nope", "predict", "no signature 'nope'; for predict it has: a, b, serving_default"),
        ("serving_default", "classify", "'serving_default' cannot classify; for that the model has: none"),
        ("", "regress", "give one; for regress the model has: a, b"),
        ("", "classify", "the model has none for classify"),
        ("nope", "regress", "no signature 'nope'; for regress it has: a, b"),
        ("nope", "classify", "no signature 'nope'; for classify it has: none"),
    ],
)
def test_a_signature_that_is_not_there_is_told(asked, verb, saying):
    both = [signature(REGRESS_METHOD, name, inputs=("string", (None,))) for name in "ab"]
    with pytest.raises(Unfit, match="signature_name") as caught:
        find_signature({spec.name: spec for spec in (FLAT, *both)}, asked, verb)
    assert saying in str(caught.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["x", "b64", "rooms", "pixels", "?"]), inner, max_size=4),
    max_leaves=25,
)
SPECS = [
    FLAT,
    HOUSE,
    DIGIT,
    signature(s=("string", None)),
    signature(h=("float16", (None,))),
    signature(z=("complex64", (None,))),
    signature(v=("type23", (None,))),
    signature(u=("uint64", ())),
    signature(),
]


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["instances", "inputs", "signature_name"]), VALUES, max_size=3)
    | st.builds(lambda rows: {"instances": rows}, st.lists(VALUES, max_size=10)),
    st.sampled_from(SPECS),
)
def test_whatever_is_asked_either_fits_or_is_told(document, spec):
    try:
        _, arrays = read_inputs(document, spec, 8)
    except Unfit as unfit:
        json.dumps([str(unfit), unfit.problems[0].field, *(problem.problem for problem in unfit.problems)]).encode()
    else:
        assert arrays.keys() == spec.inputs.keys()
        assert all(isinstance(array, np.ndarray) for array in arrays.values())


@pytest.mark.parametrize("key", ["instances", "inputs"])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: "+".join(spec.inputs))
def test_a_thousand_lists_in_each_other_are_told(key, spec):
    deep: list[object] = []
    for _ in range(1000):
        deep = [deep]
    assert problems({key: deep}, spec)
