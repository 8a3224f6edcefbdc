"""Rows as a person writes them become the columns a signature wants, or one line that says why not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from configs.errors import UsageError
from serving.protocol.signature import SignatureSpec, TensorSpec
from serving.rows import answers_by_row, columns_from_rows, read_rows

SPEC = SignatureSpec("predict", "", {"fare": TensorSpec("float32"), "hour": TensorSpec("int64"), "company": TensorSpec("string")}, {})


@pytest.mark.parametrize(
    ("text", "rows"),
    [('{"fare": 1}', [{"fare": 1}]), ('[{"fare": 1}, {}]', [{"fare": 1}, {}]), (' {"company": "Ü"} ', [{"company": "Ü"}])],
)
def test_an_object_or_a_list_of_them_is_read(tmp_path, text, rows):
    assert read_rows(text) == rows
    (tmp_path / "rows.json").write_text(text, encoding="utf-8")
    assert read_rows(f"@{tmp_path / 'rows.json'}") == rows


@pytest.mark.parametrize("text", ["[]", "7", "null", '"fare"', '[{"fare": 1}, 7]', "[[]]"])
def test_what_is_no_row_is_refused(text):
    with pytest.raises(UsageError, match="the row: expected a JSON object or a list of objects"):
        read_rows(text)


def test_broken_json_is_refused_with_the_place():
    with pytest.raises(UsageError, match=r"the row: not valid JSON: .*column 9"):
        read_rows('{"fare":}')


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "rows.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read") as caught:
        read_rows(f"@{path}")
    assert str(caught.value).startswith(f"{path}: ")


def test_columns_are_in_the_signatures_types():
    columns = columns_from_rows([{"fare": 1, "hour": 2, "company": "Ü"}, {"fare": 0.5, "hour": 3, "company": "x"}], SPEC)
    assert {name: (array.dtype.name, array.tolist()) for name, array in columns.items()} == {
        "fare": ("float32", [1.0, 0.5]),
        "hour": ("int64", [2, 3]),
        "company": ("object", ["Ü".encode(), b"x"]),
    }


@pytest.mark.parametrize("row", [{}, {"fare": None, "hour": None, "company": None}])
def test_what_a_row_leaves_out_is_missing(row):
    columns = columns_from_rows([row], SPEC)
    assert np.isnan(columns["fare"]).all()
    assert columns["hour"].tolist() == [-1]
    assert columns["company"].tolist() == [b""]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"price": 1}, "row 1: unknown column 'price'; the model takes: company, fare, hour"),
        ({"fare": "1"}, "fare: '1' is not a number"),
        ({"fare": True}, "fare: True is not a number"),
        ({"fare": [1, 2]}, "fare: [1, 2] is not a number"),
        ({"fare": 1e300}, "fare: [nan, 1e+300] does not fit float32"),
        ({"hour": 1.5}, "hour: 1.5 is not a whole number"),
        ({"hour": False}, "hour: False is not a whole number"),
        ({"hour": 2**63}, "hour: [-1, 9223372036854775808] does not fit int64"),
        ({"company": 7}, "company: 7 is not a text"),
        ({"company": {}}, "company: {} is not a text"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(row, message):
    with pytest.raises(UsageError) as caught:
        columns_from_rows([{}, row], SPEC)
    assert str(caught.value) == message


def test_answers_become_one_plain_row_each():
    outputs = {"probability": np.array([0.5, 0.25], np.float32), "label": np.array([["a", b"\xc3\xbc"], [b"b", b"\xff"]], object)}
    rows = answers_by_row(outputs)
    assert rows == [{"probability": 0.5, "label": ["a", "ü"]}, {"probability": 0.25, "label": ["b", "\ufffd"]}]
    assert json.dumps(rows)


def test_a_column_without_a_sign_for_missing_must_be_given():
    spec = SignatureSpec("predict", "", {"shared": TensorSpec("bool")}, {})
    assert columns_from_rows([{"shared": True}], spec)["shared"].tolist() == [True]
    with pytest.raises(UsageError, match="shared: a bool column has no sign for a missing value"):
        columns_from_rows([{}], spec)
    with pytest.raises(UsageError, match="shared: 1 is not true or false"):
        columns_from_rows([{"shared": 1}], spec)
