"""Golden requests come back from their file bit by bit."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.errors import ModelLoadError
from serving.golden import GOLDEN, GoldenRequest, dump, read

DTYPES = st.sampled_from([np.float32, np.float64, np.int64, np.int32, np.uint8, np.bool_])


def kept(folder, *requests):
    """What is read of these after they were written, as strict JSON."""
    path = folder / GOLDEN
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dump(requests), allow_nan=False), encoding="utf-8")
    return read(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("model")


@settings(deadline=None)
@given(array=hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)))
def test_numbers_come_back_bit_by_bit(folder, array):
    (back,) = kept(folder, GoldenRequest("predict", {"x": array}, {"y": array}))
    assert back.signature == "predict"
    for found in (back.inputs["x"], back.outputs["y"]):
        assert found.dtype == array.dtype
        assert found.shape == array.shape
        np.testing.assert_array_equal(found, array)


@settings(deadline=None)
@given(values=st.lists(st.binary()))
def test_bytes_come_back_whatever_they_are(folder, values):
    array = np.array(values, object)
    (back,) = kept(folder, GoldenRequest("serving_default", {"examples": array}, {}))
    assert back.inputs["examples"].tolist() == values


def test_texts_become_bytes_in_utf_8(folder):
    (back,) = kept(folder, GoldenRequest("p", {}, {"label": np.array([["é", b"x"]], object)}))
    assert back.outputs["label"].tolist() == [["é".encode(), b"x"]]


def test_requests_keep_their_order(folder):
    back = kept(folder, *(GoldenRequest(name, {}, {}) for name in "cab"))
    assert [request.signature for request in back] == ["c", "a", "b"]


def test_a_model_without_golden_requests_has_none(tmp_path):
    assert read(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"requests": [{}]}',
        '{"requests": [{"signature": "p", "inputs": [], "outputs": {}}]}',
        '{"requests": [{"signature": "p", "inputs": {"x": {"dtype": "no", "shape": [], "values": []}}, "outputs": {}}]}',
        '{"requests": [{"signature": "p", "inputs": {"x": {"dtype": "int64", "shape": [3], "values": [1]}}, "outputs": {}}]}',
        '{"requests": [{"signature": "p", "inputs": {"x": {"dtype": "bytes", "shape": [1], "values": ["a"]}}, "outputs": {}}]}',
    ],
)
def test_a_broken_file_is_named(tmp_path, text):
    (tmp_path / GOLDEN).parent.mkdir()
    (tmp_path / GOLDEN).write_text(text, encoding="utf-8")
    with pytest.raises(ModelLoadError, match="not a file of golden requests") as caught:
        read(tmp_path)
    assert str(tmp_path / GOLDEN) in str(caught.value)
