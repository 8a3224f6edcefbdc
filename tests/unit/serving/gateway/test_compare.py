"""Two answers to one request: the same within a tolerance, or how they differ."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from serving.gateway.compare import Difference, differ

NAN, INF = float("nan"), float("inf")


def numbers(*values: float) -> dict[str, np.ndarray]:
    return {"p": np.array(values, np.float32)}


def texts(*values: bytes) -> dict[str, np.ndarray]:
    column = np.empty(len(values), object)
    column[:] = values
    return {"label": column}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (numbers(), numbers()),
        (numbers(0.5, NAN, INF, -INF), numbers(0.5, NAN, INF, -INF)),
        (numbers(0.5), numbers(0.5009)),
        (numbers(5000.0), numbers(5004.0)),
        (texts(b"a", b"b"), texts(b"a", b"b")),
        ({"n": np.array(3)}, {"n": np.array(3)}),
        ({"z": np.array([1 + 2j])}, {"z": np.array([1 + 2j])}),
        ({"f": np.array([True])}, {"f": np.array([True])}),
        (numbers(0.5), {"p": np.array([0.5], np.float64)}),
    ],
)
def test_the_same_within_the_tolerance(one, other):
    assert differ(one, other, 1e-3).same


@pytest.mark.parametrize(
    ("one", "other", "largest", "changed"),
    [
        (numbers(0.5, 0.25), numbers(0.5, 0.75), 0.5, 0),
        (texts(b"a", b"b", b"c"), texts(b"a", b"x", b"y"), 0.0, 2),
        ({"f": np.array([True, False])}, {"f": np.array([True, True])}, 0.0, 1),
        ({"n": np.array([1, 2], np.int64)}, {"n": np.array([1, 5], np.int64)}, 3.0, 0),
        ({"s": np.array(b"a", object)}, {"s": np.array(b"b", object)}, 0.0, 1),
        (texts(b"1") | numbers(1.0), texts(b"2") | numbers(2.0), 1.0, 1),
    ],
)
def test_how_much_they_differ(one, other, largest, changed):
    found = differ(one, other, 1e-3)
    assert (found.same, found.largest, found.changed, found.reason) == (False, largest, changed, "")


@pytest.mark.parametrize("wrong", [NAN, INF, -INF])
def test_a_number_against_none_differs_by_more_than_any_number(wrong):
    for one, other in ((numbers(1.0), numbers(wrong)), (numbers(wrong), numbers(1.0))):
        found = differ(one, other, 1e-3)
        assert (found.same, found.largest) == (False, INF)


@pytest.mark.parametrize(
    ("one", "other", "saying"),
    [
        (numbers(1.0), texts(b"1"), "outputs p against label"),
        (numbers(1.0), numbers(1.0, 2.0), "p: shape [1] against [2]"),
        (numbers(1.0), {"p": texts(b"1")["label"]}, "p: "),
    ],
)
def test_answers_of_another_form_are_told(one, other, saying):
    found = differ(one, other, 1e-3)
    assert not found.same
    assert saying in found.reason


def test_rows_are_counted():
    assert differ(numbers(1.0, 2.0), numbers(1.0, 2.0), 0.0) == Difference(True, rows=2)


@given(arrays.arrays(np.float32, st.integers(0, 4), elements=st.floats(width=32)), st.floats(0, 1))
def test_nothing_differs_from_itself(array, tolerance):
    found = differ({"y": array}, {"y": array.copy()}, tolerance)
    assert (found.same, found.largest) == (True, 0.0)


@given(*(arrays.arrays(st.sampled_from([np.float32, np.float64, np.int64, np.bool_, np.complex64]), st.integers(0, 3)) for _ in range(2)))
def test_any_two_answers_can_be_held_against_each_other(one, other):
    found = differ({"y": one}, {"y": other}, 1e-3)
    assert found == differ({"y": one}, {"y": other}, 1e-3)
    json.dumps(vars(found))
