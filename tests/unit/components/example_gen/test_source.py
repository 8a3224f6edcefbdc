"""Data is found and checked before any work begins; what is wrong with it is one line that names the file."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from components.example_gen.source import check_source, find_files
from configs.errors import UsageError

COLUMNS = ("fare", "company")
GOOD = b"fare,company\n1,a\n"


@pytest.fixture
def data(tmp_path):
    """A folder with files that fit."""
    for name in ("b.csv", "a.csv", "more/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(GOOD)
    (tmp_path / "notes.txt").write_text("not data", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["a.csv", "b.csv"]),
        ("a.csv", ["a.csv"]),
        ("*.csv", ["a.csv", "b.csv"]),
        ("[a-z]*/c.csv", ["more/c.csv"]),
        ("?.csv", ["a.csv", "b.csv"]),
    ],
)
def test_a_file_a_folder_or_a_glob_is_found(data, text, names):
    base, files = find_files(str(data / text))
    assert [str(path.relative_to(data)) for path in files] == names
    assert all(path.is_relative_to(base) for path in files)


def test_a_path_may_be_written_as_a_file_uri(data):
    assert check_source(f"file://{data}", COLUMNS) == check_source(str(data), COLUMNS)


@pytest.mark.parametrize("text", ["hdfs://node/trips.csv", "http://host/trips.csv", "S4://bucket/x"])
def test_a_scheme_that_is_not_known_is_told_with_those_that_are(text):
    with pytest.raises(UsageError) as caught:
        check_source(text, COLUMNS)
    scheme = text.partition(":")[0]
    assert str(caught.value) == f"data {text!r}: unknown scheme {scheme!r}; allowed: a path, gs://, s3://"


def test_a_path_may_be_relative_or_of_the_home_folder(data, monkeypatch):
    monkeypatch.chdir(data)
    monkeypatch.setenv("HOME", str(data))
    assert find_files("a.csv")[1] == find_files("~/a.csv")[1] == (data / "a.csv",)
    assert find_files("*.csv")[0] == data


def test_a_file_whose_name_looks_like_a_glob_is_that_file(data):
    (data / "trips [1].csv").write_bytes(GOOD)
    assert find_files(str(data / "trips [1].csv")) == (data, (data / "trips [1].csv",))


@pytest.mark.parametrize("text", ["missing.csv", "*.parquet", "empty", "none/*.csv"])
def test_data_that_is_not_there_is_told(data, text):
    (data / "empty").mkdir()
    with pytest.raises(UsageError, match=r"there is no such file or folder|no file fits") as caught:
        find_files(str(data / text))
    assert repr(str(data / text)) in str(caught.value)


def test_a_good_source_has_its_files(data):
    source = check_source(str(data), COLUMNS)
    assert source.files == (data / "a.csv", data / "b.csv")


@pytest.mark.parametrize(
    "content", [GOOD, b"company,fare\na,1\n", b"\xef\xbb\xbffare,company\r\n1,a\r\n", b'fare,company\n1,"a\nb"', GOOD + b"\n\n"]
)
def test_what_fits_the_schema_passes(data, content):
    (data / "a.csv").write_bytes(content)
    assert check_source(str(data / "a.csv"), COLUMNS).files


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b" \n \n", "the file is empty"),
        (b"fare,company\n", "a header and no rows"),
        (b"fare,company\n\n\n", "a header and no rows"),
        (b"fare\n1\n", "the columns do not fit the schema: missing 'company'"),
        (b"fare,company,x,y\n1,a,2,3\n", "the columns do not fit the schema: unknown 'x', 'y'"),
        (b"Fare,company\n1,a\n", "the columns do not fit the schema: missing 'fare'; unknown 'Fare'"),
        (b"fare;company\n1;a\n", "the columns do not fit the schema: missing 'fare', 'company'; unknown 'fare;company'"),
        (b"1,a\n2,b\n", "the columns do not fit the schema: missing 'fare', 'company'; unknown '1', 'a'"),
        (b"fare,fare,company\n1,1,a\n", "column 'fare' stands twice in the header"),
        (b"fare,company\n1,a\n\xff,b\n", "line 3 is not UTF-8; convert the file first"),
        (b"\xff\xfef\x00a\x00r\x00e\x00", "line 1 is not UTF-8; convert the file first"),
        (GOOD + b"1,\xc3", "line 3 is not UTF-8; convert the file first"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_the_file(data, content, problem):
    (data / "b.csv").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        check_source(str(data), COLUMNS)
    assert str(caught.value) == f"{data / 'b.csv'}: {problem}"


@pytest.mark.parametrize(
    "content", [b"fare,company\n1,a\n2\n", b"fare,company\n1,a\n2,b,c\n", b'fare,company\n1,"' + b"a" * 200_000 + b'"\n']
)
def test_a_row_that_is_broken_is_told_with_its_line(data, content):
    (data / "a.csv").write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.csv: line [23]\D") as caught:
        check_source(str(data), COLUMNS)
    assert "\n" not in str(caught.value)


def test_broken_text_far_down_is_told_by_its_line(data):
    rows = 200_000
    (data / "a.csv").write_bytes(b"fare,company\n" + b"12.5,\xc3\xbc\n" * rows + b"1,\xff\n")
    with pytest.raises(UsageError, match=f"line {rows + 2} is not UTF-8"):
        check_source(str(data / "a.csv"), COLUMNS)


def test_a_file_without_permission_is_named(data, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)  # chmod would not stop root
    with pytest.raises(UsageError, match=r"a\.csv: cannot be read: Permission denied"):
        check_source(str(data), COLUMNS)


def test_the_digest_is_of_the_content(data):
    before = check_source(str(data), COLUMNS).digest
    assert check_source(str(data), COLUMNS).digest == before
    (data / "b.csv").write_bytes(GOOD + b"2,b\n")
    after = check_source(str(data), COLUMNS).digest
    assert after != before
    (data / "d.csv").write_bytes(GOOD)
    assert check_source(str(data), COLUMNS).digest not in {before, after}


def test_the_digest_knows_files_of_one_name_in_many_folders(data):
    for day in ("monday", "tuesday"):
        (data / day).mkdir()
        (data / day / "trips.csv").write_bytes(GOOD)
    before = check_source(str(data / "*day/trips.csv"), COLUMNS).digest
    (data / "monday" / "trips.csv").write_bytes(GOOD + b"2,b\n")
    assert check_source(str(data / "*day/trips.csv"), COLUMNS).digest != before


def test_the_digest_does_not_know_where_the_data_lies(data, tmp_path_factory):
    moved = tmp_path_factory.mktemp("elsewhere")
    for name in ("a.csv", "b.csv"):
        (moved / name).write_bytes(GOOD)
    assert check_source(str(moved), COLUMNS).digest == check_source(str(data), COLUMNS).digest


@pytest.mark.parametrize("text", ["", "  ", "a\0b"])
def test_an_empty_path_is_refused_and_never_means_the_working_folder(data, monkeypatch, text):
    monkeypatch.chdir(data)
    with pytest.raises(UsageError, match="is not a path"):
        find_files(text)
