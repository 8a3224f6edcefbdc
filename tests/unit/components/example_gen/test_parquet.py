"""A Parquet file becomes the same typed columns and keys as a CSV file with the same rows, a row group at a time."""

from __future__ import annotations

import csv
import datetime
import decimal
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen import parquet as module
from components.example_gen.convert import UNREADABLE, read_csv
from components.example_gen.parquet import check_parquet, read_parquet
from components.example_gen.reading import Reading
from configs.errors import UsageError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.parquet"


def read(path, reading, rows=None):
    """Plain values by column, and the keys, over all batches."""
    found: dict[str, list] = {}
    keys: list[bytes] = []
    for batch, part in read_parquet(path, reading, rows):
        assert batch.num_rows == len(part)
        for name, column in zip(batch.schema.names, batch, strict=True):
            found.setdefault(name, []).extend(value and value[0] for value in column.to_pylist())
        keys += part
    return found, keys


@pytest.mark.parametrize(
    ("kind", "values", "found"),
    [
        ("FLOAT", pa.array([1.5, None]), [1.5, None]),
        ("FLOAT", pa.array([1, None], pa.int8()), [1.0, None]),
        ("FLOAT", pa.array([2**40]), [2.0**40]),
        ("FLOAT", pa.array([True, False]), [1.0, 0.0]),
        ("FLOAT", pa.array([decimal.Decimal("2.50")]), [2.5]),
        ("FLOAT", pa.array(["1.5", "", None]), [1.5, None, None]),
        ("FLOAT", pa.nulls(2), [None, None]),
        ("INT", pa.array([7, None], pa.uint64()), [7, None]),
        ("INT", pa.array([7.0, None]), [7, None]),
        ("INT", pa.array([True]), [1]),
        ("INT", pa.array(["7"]).dictionary_encode(), [7]),
        ("BYTES", pa.array(["ü", None, ""]), ["ü".encode(), None, None]),
        ("BYTES", pa.array(["x"], pa.large_string()), [b"x"]),
        ("BYTES", pa.array([b"\xff\x00"]), [b"\xff\x00"]),
        ("BYTES", pa.array([b"abc"], pa.binary(3)), [b"abc"]),
        ("BYTES", pa.array(["a", "b", "a"]).dictionary_encode(), [b"a", b"b", b"a"]),
        ("BYTES", pa.array([12, None]), [b"12", None]),
        ("BYTES", pa.array([decimal.Decimal("2.50")]), [b"2.50"]),
        ("BYTES", pa.array([datetime.date(2024, 1, 31)]), [b"2024-01-31"]),
    ],
)
def test_a_value_is_read_by_its_columns_type(path, kind, values, found):
    pq.write_table(pa.table({"x": values}), path)
    check_parquet(path, str(path), Reading({"x": kind}))
    assert read(path, Reading({"x": kind}))[0] == {"x": found}


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        ("FLOAT", pa.array([1.0, math.nan]), "nan"),
        ("FLOAT", pa.array([1.0, math.inf]), "inf"),
        ("FLOAT", pa.array([1.0, 1e300]), "1e+300"),
        ("FLOAT", pa.array(["1", "nan"]), "nan"),
        ("INT", pa.array([1.0, 1.5]), "1.5"),
        ("INT", pa.array([1, 2**63], pa.uint64()), str(2**63)),
        ("INT", pa.array(["1", "1_0"]), "1_0"),
    ],
)
def test_what_is_no_such_number_is_kept_with_file_and_row(path, kind, values, text):
    pq.write_table(pa.table({"x": values}), path)
    assert read(path, Reading({"x": kind}))[0] == {"x": [1, None], "x" + UNREADABLE: [None, f"rows.parquet row 2: {text!r}".encode()]}


def test_a_row_is_told_by_its_number_in_the_file_and_a_column_by_its_name_there(path, monkeypatch):
    monkeypatch.setattr(module, "_BATCH", 2)
    pq.write_table(pa.table({"L.mm": ["1", "2", "3", "4", "bad"]}), path, row_group_size=3)
    found, _ = read(path, Reading({"length": "FLOAT"}, names={"length": "L.mm"}))
    assert found["length" + UNREADABLE] == [b"rows.parquet row 5 column 'L.mm': 'bad'"]


def test_a_file_is_read_bit_by_bit(path, monkeypatch):
    monkeypatch.setattr(module, "_BATCH", 4)
    pq.write_table(pa.table({"x": list(range(10))}), path, row_group_size=5)
    sizes = [batch.num_rows for batch, _ in read_parquet(path, Reading({"x": "INT"}))]
    assert sum(sizes) == 10
    assert max(sizes) <= 4


@pytest.mark.parametrize(("rows", "count"), [(None, 10), (1, 1), (7, 7), (10, 10), (99, 10)])
def test_rows_are_taken_from_the_top(path, monkeypatch, rows, count):
    monkeypatch.setattr(module, "_BATCH", 3)
    pq.write_table(pa.table({"x": list(range(10))}), path)
    assert read(path, Reading({"x": "INT"}), rows)[0] == {"x": list(range(count))}


@pytest.mark.parametrize("key", [None, "hour", "person"])
def test_keys_are_those_of_the_same_rows_in_csv_where_texts_are_the_same(path, tmp_path, key):
    columns = {"hour": [1, 2, None], "company": ["a", "ü,b", None], "person": [7, None, 7]}
    reading = Reading({"hour": "INT", "company": "BYTES"}, key=key, ignore_extra=True)
    pq.write_table(pa.table(columns), path)
    (tmp_path / "rows.csv").write_text('hour,company,person\n1,a,7\n2,"ü,b",\n,,7\n', encoding="utf-8")
    assert read(path, reading)[1] == read_csv(tmp_path / "rows.csv", reading)[1]


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.floats(-(2.0**120), 2.0**120),
            st.none() | st.integers(1 - 2**63, 2**63 - 1),
            st.none() | st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=8),
            st.none() | st.integers(-(10**9), 10**9).map(float),
        ),
        min_size=1,
        max_size=9,
    ),
    key=st.sampled_from([None, "x", "y", "z", "person"]),
)
def test_a_table_splits_as_parquet_as_it_does_as_csv(tmp_path_factory, rows, key):
    folder = tmp_path_factory.mktemp("rows")
    columns = dict(zip(("x", "y", "z", "person"), map(list, zip(*rows, strict=True)), strict=True))
    types = {"x": pa.float64(), "y": pa.int64(), "z": pa.string(), "person": pa.float64()}
    pq.write_table(pa.table({name: pa.array(values, types[name]) for name, values in columns.items()}), folder / "rows.parquet")
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([list(columns), *rows])
    reading = Reading({"z": "BYTES", "y": "INT", "x": "FLOAT"}, key=key, ignore_extra=True)
    assert read(folder / "rows.parquet", reading)[1] == read_csv(folder / "rows.csv", reading)[1]


def test_a_fraction_is_rounded_as_often_in_csv_as_in_parquet(path, tmp_path):
    # A hair more than the middle between two float32: rounded at once it is the upper one, by way of a double the lower.
    text = "1.000000059604644775390625000001"
    pq.write_table(pa.table({"x": [float(text)]}), path)
    (tmp_path / "rows.csv").write_text(f"x\n{text}\n", encoding="utf-8")
    reading = Reading({"x": "FLOAT"})
    (batch,) = [batch for batch, _ in read_parquet(path, reading)]
    assert read_csv(tmp_path / "rows.csv", reading)[0].to_pydict() == batch.to_pydict() == {"x": [[1.0]]}


def test_a_key_may_be_bytes_that_are_no_text(path):
    pq.write_table(pa.table({"x": [1, 2], "k": [b"\xff\x00", b"007"]}), path)
    assert read(path, Reading({"x": "INT"}, key="k", ignore_extra=True))[1] == [b"\xff\x00", b"7"]


def test_a_rows_key_knows_neither_the_widths_of_its_types_nor_its_neighbours(path, tmp_path):
    reading = Reading({"x": "FLOAT", "y": "INT"})
    pq.write_table(pa.table({"x": [0.1, None, 3.0], "y": [1, 2, 3]}), path)
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"y": pa.array([3, 1, 2], pa.int8()), "x": pa.array([3.0, 0.1, None], pa.float32())}), other)
    one, two = read(path, reading)[1], read(other, reading)[1]
    assert one == [two[1], two[2], two[0]]
    assert len(set(one)) == 3


def test_a_key_is_the_same_in_every_release(path):
    pq.write_table(pa.table({"x": [0.1, None], "y": ["a", "b"]}), path)
    assert read(path, Reading({"x": "FLOAT", "y": "BYTES"}))[1] == [b"1036831949\x1fa", b"\x1fb"]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"x": [1.0]}, "the columns do not fit the schema: missing 'Company' (company)"),
        ({"x": [1.0], "Company": ["a"], "z": [1]}, "the columns do not fit the schema: unknown 'z'"),
        ({"x": [[1.0]], "Company": ["a"]}, "column 'x' is list<"),
        ({"x": [datetime.date(2024, 1, 1)], "Company": ["a"]}, "column 'x' is date32[day], which cannot be FLOAT"),
        ({"x": [1.0], "Company": [{"a": 1}]}, "column 'Company' (company) is struct<a: int64>, which cannot be BYTES"),
        ({"x": pa.array([], pa.float32()), "Company": pa.array([], pa.string())}, "columns and no rows"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_file_and_column(path, columns, told):
    pq.write_table(pa.table(columns), path)
    with pytest.raises(UsageError) as caught:
        check_parquet(path, str(path), Reading({"x": "FLOAT", "company": "BYTES"}, names={"company": "Company"}))
    assert str(caught.value).startswith(f"{path}: {told}")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,b\n1,2\n" * 9])
def test_what_is_not_parquet_is_told(path, content):
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"rows\.parquet: not Parquet: ") as caught:
        check_parquet(path, str(path), Reading({"x": "INT"}))
    assert "\n" not in str(caught.value)


def test_a_file_that_breaks_off_in_its_rows_is_told_while_it_is_read(path):
    pq.write_table(pa.table({"x": list(range(5000))}), path, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[4:60] = b"\xff" * 56
    path.write_bytes(bytes(content))
    with pytest.raises(UsageError, match=r"rows\.parquet: "):
        read(path, Reading({"x": "INT"}))
