"""Rows as a person writes them become the columns a signature wants, or one line that says why not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from configs.errors import UsageError
from serving.protocol.signature import SignatureSpec, TensorSpec
from serving.rows import answers_by_row, columns_from_files, columns_from_rows, read_rows

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


def table(tmp_path, text):
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return path, read_rows(f"@{path}")


def test_cells_of_a_csv_file_get_the_types_of_the_signature(tmp_path):
    _, rows = table(tmp_path, '\ufeffcompany, fare ,hour\n"Ü, ""x""",1.5,2\n\n7, 2 ,3.0\n,,\n')
    columns = columns_from_rows(rows, SPEC)
    assert columns["company"].tolist() == ['Ü, "x"'.encode(), b"7", b""]
    assert columns["fare"].tolist()[:2] == [1.5, 2.0]
    assert np.isnan(columns["fare"][2])
    assert columns["hour"].tolist() == [2, 3, -1]


@pytest.mark.parametrize(("cell", "value"), [("true", True), ("FALSE", False), ("1", True), ("0", False)])
def test_truth_in_a_csv_file(tmp_path, cell, value):
    spec = SignatureSpec("predict", "", {"shared": TensorSpec("bool")}, {})
    assert columns_from_rows(table(tmp_path, f"shared\n{cell}\n")[1], spec)["shared"].tolist() == [value]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": the first line must name every column, each once; it is empty"),
        ("fare,\n1,2\n", ": the first line must name every column, each once; it is fare, "),
        ("fare,fare\n1,2\n", ": the first line must name every column"),
        ("fare\n", ": no row below the first line"),
        ("fare,hour\n1\n", " line 2: 1 cells, and 2 columns in the first line"),
        ('fare\n"1\n', " line 2: not valid CSV: "),
    ],
)
def test_a_csv_file_that_is_no_table_is_told_with_its_line(tmp_path, text, message):
    with pytest.raises(UsageError) as caught:
        table(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'rows.csv'}{message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fare\n1\nx\n", " line 3: fare: 'x' is not a number"),
        ("hour\n1.5\n", " line 2: hour: '1.5' is not a whole number"),
        ("hour\ninf\n", " line 2: hour: 'inf' is not a whole number"),
        ("price\n1\n", " line 2: unknown column 'price'; the model takes: company, fare, hour"),
    ],
)
def test_a_cell_that_does_not_fit_is_told_with_its_line(tmp_path, text, message):
    path, rows = table(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        columns_from_rows(rows, SPEC)
    assert str(caught.value) == f"{path}{message}"


IMAGES = SignatureSpec("predict_images", "", {"images": TensorSpec("float32", (None, 2, 2))}, {})


def test_a_row_may_be_an_array_where_the_signature_says_so():
    column = columns_from_rows([{"images": [[0, 1], [2, 3]]}, {"images": [[4.5, 5], [6, 7]]}], IMAGES)["images"]
    assert (column.dtype, column.tolist()) == (np.float32, [[[0, 1], [2, 3]], [[4.5, 5], [6, 7]]])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "images: a column of lists has no sign for a missing value"),
        ({"images": [1, 2]}, r"images: not an array \[rows, 2, 2\] of float32, but one of 2 dimensions"),
        ({"images": [[1, 2], [3]]}, r"images: not an array \[rows, 2, 2\] of float32: "),
        ({"images": [["a", "b"], ["c", "d"]]}, r"images: not an array \[rows, 2, 2\] of float32: "),
    ],
)
def test_a_row_that_is_no_such_array_is_told(row, message):
    with pytest.raises(UsageError, match=message):
        columns_from_rows([row], IMAGES)


def test_a_type_that_no_row_can_spell_is_told():
    spec = SignatureSpec("predict", "", {"r": TensorSpec("type20")}, {})
    with pytest.raises(UsageError, match="r: a column of type20 cannot be written as a row"):
        columns_from_rows([{}], spec)


def test_files_are_the_one_text_column(tmp_path):
    spec = SignatureSpec("predict", "", {"image": TensorSpec("string", (None,))}, {})
    (tmp_path / "a").write_bytes(b"\xff\x00")
    assert columns_from_files([tmp_path / "a"] * 2, spec)["image"].tolist() == [b"\xff\x00"] * 2


@pytest.mark.parametrize(
    ("inputs", "wanted"),
    [({}, "nothing"), ({"x": TensorSpec("float32")}, r"x \(float32\)"), (SPEC.inputs, r"company \(string\), fare \(float32\), hour")],
)
def test_files_for_other_columns_are_refused(tmp_path, inputs, wanted):
    with pytest.raises(UsageError, match=f"takes {wanted}"):
        columns_from_files([tmp_path / "a"], SignatureSpec("predict", "", inputs, {}))
