"""A CSV file is read once before any work begins; what is wrong with it is one line that names the file and the line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen.check_csv import LONGEST_TEXT, check_csv, long_texts
from components.example_gen.convert import read_csv
from components.example_gen.reading import Reading
from configs.errors import UsageError

COLUMNS = Reading({"fare": "FLOAT", "company": "BYTES"})
GOOD = b"fare,company\n1,a\n"
RENAME = " (data.columns gives a column its name in the file)"
IGNORE = " (data.extra_columns=ignore leaves them out)"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.csv"


@pytest.mark.parametrize(
    "content", [GOOD, b"company,fare\na,1\n", b"\xef\xbb\xbffare,company\r\n1,a\r\n", b'fare,company\n1,"a\nb"', GOOD + b"\n\n"]
)
def test_what_fits_the_schema_passes(path, content):
    path.write_bytes(content)
    assert check_csv(path, COLUMNS)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b" \n \n", "the file is empty"),
        (b"fare,company\n", "a header and no rows"),
        (b"fare,company\n\n\n", "a header and no rows"),
        (b"fare\n1\n", "the columns do not fit the schema: missing 'company'"),
        (b"fare,company,x,y\n1,a,2,3\n", f"the columns do not fit the schema: unknown 'x', 'y'{IGNORE}"),
        (b"Fare,company\n1,a\n", f"the columns do not fit the schema: missing 'fare'; unknown 'Fare'{RENAME}"),
        (b"fare;company\n1;a\n", f"the columns do not fit the schema: missing 'fare', 'company'; unknown 'fare;company'{RENAME}"),
        (b"1,a\n2,b\n", f"the columns do not fit the schema: missing 'fare', 'company'; unknown '1', 'a'{RENAME}"),
        (b"fare,fare,company\n1,1,a\n", "column 'fare' stands twice in the header"),
        (b"fare,company\n1,a\n\xff,b\n", "line 3 is not UTF-8; convert the file first"),
        (b"\xff\xfef\x00a\x00r\x00e\x00", "line 1 is not UTF-8; convert the file first"),
        (GOOD + b"1,\xc3", "line 3 is not UTF-8; convert the file first"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_the_file(path, content, problem):
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        check_csv(path, COLUMNS)
    assert str(caught.value) == f"{path}: {problem}"


@pytest.mark.parametrize(
    "content", [b"fare,company\n1,a\n2\n", b"fare,company\n1,a\n2,b,c\n", b'fare,company\n1,"' + b"a" * (LONGEST_TEXT + 1) + b'"\n']
)
def test_a_row_that_is_broken_is_told_with_its_line(path, content):
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.csv: line [23]\D") as caught:
        check_csv(path, COLUMNS)
    assert "\n" not in str(caught.value)


def test_broken_text_far_down_is_told_by_its_line(path):
    rows = 200_000
    path.write_bytes(b"fare,company\n" + b"12.5,\xc3\xbc\n" * rows + b"1,\xff\n")
    with pytest.raises(UsageError, match=f"line {rows + 2} is not UTF-8"):
        check_csv(path, COLUMNS)


@pytest.mark.parametrize("letter", ["a", "😀"])
def test_a_long_text_passes_and_python_keeps_its_limit(path, letter):
    before = csv.field_size_limit()
    path.write_text(f'fare,company\n1,"{letter * LONGEST_TEXT}"\n', encoding="utf-8")
    assert check_csv(path, COLUMNS)
    path.write_text(f'fare,company\n1,"{letter * (LONGEST_TEXT + 1)}"\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"line 2: not CSV: a value of more than 4,194,304 characters; is a quote never closed\?$"):
        check_csv(path, COLUMNS)
    assert csv.field_size_limit() == before


def test_the_limit_is_set_back_by_the_last_to_leave_whoever_that_is():
    before = csv.field_size_limit()
    first, second = long_texts(), long_texts()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert csv.field_size_limit() == LONGEST_TEXT, "the second still reads"
    second.__exit__(None, None, None)
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'1,a\n2,"b\n3,c\n4,d\n', "line 5: not CSV: a quote is opened and never closed (in the row that begins in line 3)"),
        (b'1,a\n2,"b', "line 3: not CSV: a quote is opened and never closed"),
        (
            b'1,"b\n2,"c"\n',
            "line 3: not CSV: text after a closing quote; a quote inside a quoted value is written twice"
            " (in the row that begins in line 2)",
        ),
        (
            b'1,"he said "no""\n',
            "line 2: not CSV: text after a closing quote; a quote inside a quoted value is written twice",
        ),
    ],
)
def test_a_quote_that_does_not_fit_is_told_with_the_line_its_row_begins_in(path, content, told):
    path.write_bytes(b"fare,company\n" + content)
    with pytest.raises(UsageError) as caught:
        check_csv(path, COLUMNS)
    assert str(caught.value) == f"{path}: {told}"


rows = ["1,b\n", '"c",d\n', '"e\nf",""\n', '"g""h",i\r\n', '"j,","""k"\r']
parts = st.sampled_from([*rows, *rows, "a", '"', ",", "\n", "\r\n", "\r", " ", '""'])


@settings(max_examples=150, deadline=None)
@given(text=st.lists(parts, min_size=1, max_size=9).map("".join))
def test_what_passes_is_read_by_arrow_as_python_reads_it(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(b"fare,company\n" + text.encode())
    reading = Reading({"fare": "BYTES", "company": "BYTES"})
    try:
        check_csv(path, reading)
    except UsageError:
        return
    batch, _ = read_csv(path, reading)
    found = [[value[0].decode() if value else "" for value in row] for row in zip(*[column.to_pylist() for column in batch], strict=True)]
    assert found == [row for row in csv.reader(io.StringIO(text, newline="")) if row]
