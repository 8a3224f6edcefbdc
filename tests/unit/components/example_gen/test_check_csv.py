"""A CSV file is read once before any work begins; what is wrong with it is one line that names the file and the line."""

from __future__ import annotations

import pytest

from components.example_gen.check_csv import check_csv
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
    "content", [b"fare,company\n1,a\n2\n", b"fare,company\n1,a\n2,b,c\n", b'fare,company\n1,"' + b"a" * 200_000 + b'"\n']
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
