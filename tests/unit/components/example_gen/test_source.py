"""Data is found and checked before any work begins; what is wrong with it is one line that names the file."""

from __future__ import annotations

import dataclasses
import errno
import os
from pathlib import Path

import pytest

from components.example_gen.reading import IMAGE_COLUMNS, Reading
from components.example_gen.source import check_source, find_data, find_files, kind_of
from configs.errors import UsageError
from tests.fakes.photos import write_photos

COLUMNS = Reading({"fare": "FLOAT", "company": "BYTES"})
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


@pytest.mark.parametrize("text", ["", "*.csv"])
def test_what_a_writer_keeps_for_itself_is_no_data(data, text):
    for name in (".a.csv.csv", "._a.csv", "_a.csv"):
        (data / name).write_bytes(b"\xff")
    assert find_files(str(data / text))[1] == (data / "a.csv", data / "b.csv")
    assert find_files(str(data / "_*.csv"))[1] == (data / "_a.csv",)
    assert find_files(str(data / "_a.csv"))[1] == (data / "_a.csv",)


def test_a_glob_may_lie_in_a_folder_whose_name_looks_like_one(data):
    (data / "trips [1]").mkdir()
    (data / "trips [1]" / "a.csv").write_bytes(GOOD)
    assert find_files(str(data / "trips [1]" / "*.csv")) == (data / "trips [1]", (data / "trips [1]" / "a.csv",))
    with pytest.raises(UsageError, match="there is no such file or folder"):
        find_files(str(data / "trips [1]" / "b.csv"))


def test_a_pipe_is_told_and_not_waited_for(data):
    os.mkfifo(data / "p.csv")
    with pytest.raises(UsageError, match=r"p\.csv': is neither a file nor a folder; write what comes out of it to a file first"):
        check_source(str(data / "p.csv"), COLUMNS)


@pytest.mark.parametrize("text", ["missing.csv", "*.parquet", "empty", "none/*.csv"])
def test_data_that_is_not_there_is_told(data, text):
    (data / "empty").mkdir()
    with pytest.raises(UsageError, match=r"there is no such file or folder|no file fits") as caught:
        find_files(str(data / text))
    assert repr(str(data / text)) in str(caught.value)


def test_a_good_source_has_its_files(data):
    source = check_source(str(data), COLUMNS)
    assert source.files == (data / "a.csv", data / "b.csv")
    assert source.what == "2 files"


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


def write_parquet(path, **columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def test_a_folder_may_hold_parquet(tmp_path):
    for name in ("b", "a"):
        write_parquet(tmp_path / f"{name}.parquet", fare=[1.0], company=["a"])
    source = check_source(str(tmp_path), COLUMNS)
    assert source.files == (tmp_path / "a.parquet", tmp_path / "b.parquet")
    before = source.digest
    write_parquet(tmp_path / "a.parquet", fare=[2.0], company=["a"])
    assert check_source(str(tmp_path), COLUMNS).digest != before


@pytest.mark.parametrize("text", ["", "*"])
def test_both_kinds_in_one_place_are_refused(data, text):
    (data / "notes.txt").unlink()
    write_parquet(data / "c.parquet", fare=[1.0], company=["a"])
    with pytest.raises(UsageError) as caught:
        check_source(str(data / text), COLUMNS)
    assert str(caught.value) == (
        f"data {str(data / text)!r}: {data / 'a.csv'} is CSV and {data / 'c.parquet'} is Parquet; give one of them, as in .../*.parquet"
    )


def test_parquet_that_does_not_fit_is_one_line_that_names_file_and_column(tmp_path):
    path = write_parquet(tmp_path / "x.parquet", fare=[[1.0]], company=["a"])
    with pytest.raises(UsageError, match=r"x\.parquet: column 'fare' is list<.*>, which cannot be FLOAT"):
        check_source(str(path), COLUMNS)


def test_a_link_is_what_its_own_name_says(tmp_path):
    target = write_parquet(tmp_path / "blobs" / "1f2e", fare=[1.0], company=["a"])
    (tmp_path / "rows.parquet").symlink_to(target)
    assert check_source(str(tmp_path / "rows.parquet"), COLUMNS).files == (tmp_path / "rows.parquet",)


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("a.csv", "csv"),
        ("a.PARQUET", "parquet"),
        ("a", "csv"),
        ("a.parquet.uri", "parquet"),
        ("a.csv.uri", "csv"),
        ("s3://b/x.parquet?scheme=http", "parquet"),
        ("s3://b/x.csv?prefix=.parquet", "csv"),
    ],
)
def test_a_name_says_what_a_file_holds(place, kind):
    assert kind_of(place) == kind


def test_columns_may_have_other_names_in_the_file(data):
    reading = Reading(COLUMNS.columns, names={"company": "Company (text)"}, ignore_extra=True)
    (data / "x.csv").write_bytes(b"fare,Company (text),more\n1,a,2\n")
    assert check_source(str(data / "x.csv"), reading).files
    with pytest.raises(UsageError) as caught:
        check_source(str(data / "a.csv"), reading)
    assert str(caught.value) == f"{data / 'a.csv'}: the columns do not fit the schema: missing 'Company (text)' (company)"


def test_a_key_that_the_schema_does_not_know_must_be_there(data):
    with pytest.raises(UsageError, match="missing 'person'"):
        check_source(str(data / "a.csv"), Reading(COLUMNS.columns, key="person"))


@pytest.fixture
def days(tmp_path):
    """Three spans of CSV files, the last in two versions."""
    for place in ("span-8/v1", "span-09/v1", "span-10/v1", "span-10/v2"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "rows.csv").write_bytes(GOOD)
    return tmp_path


@pytest.mark.parametrize("rest", ["", "/", "/*.csv", "/rows.csv"])
@pytest.mark.parametrize(
    ("spans", "places"), [(1, ["span-10/v2"]), (2, ["span-09/v1", "span-10/v2"]), (None, ["span-8/v1", "span-09/v1", "span-10/v2"])]
)
def test_the_newest_spans_are_the_data(days, rest, spans, places):
    source = check_source(f"{days}/span-{{SPAN}}/v{{VERSION}}{rest}", Reading(COLUMNS.columns, spans=spans))
    assert source.files == tuple(days / place / "rows.csv" for place in places)


def test_a_new_span_or_version_is_new_data_and_an_old_one_is_not(days):
    text = f"{days}/span-{{SPAN}}/v{{VERSION}}"
    seen = [check_source(text, COLUMNS).digest]
    for place, new in (("span-7/v9", False), ("span-10/v03", True), ("span-11/v1", True)):
        (days / place).mkdir(parents=True)
        assert check_source(text, COLUMNS).digest == seen[-1], "a span that is being made is none"
        (days / place / "rows.csv").write_bytes(GOOD)
        digest = check_source(text, COLUMNS).digest
        assert (digest not in seen) is new, place
        seen.append(digest)


def test_a_span_may_be_a_link_to_elsewhere(days, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "rows.csv").write_bytes(GOOD)
    (days / "span-12").mkdir()
    (days / "span-12" / "v1").symlink_to(elsewhere)
    assert len(check_source(f"{days}/span-{{SPAN}}/v{{VERSION}}", Reading(COLUMNS.columns, spans=2)).files) == 2


def test_images_are_a_source_with_an_index(tmp_path):
    write_photos(tmp_path / "photos", {"cbb": 2, "healthy": 1})
    reading = Reading(IMAGE_COLUMNS, "images", classes=("cbb", "healthy"))
    source = check_source(f"file://{tmp_path / 'photos'}", reading)
    assert (source.files, source.uris, source.places) == ((), (), (str(tmp_path / "photos"),))
    assert sorted(entry.path for entry in source.images.entries) == ["cbb/000.jpg", "cbb/001.jpg", "healthy/000.jpg"]
    assert source.digest == source.images.digest
    assert source.what == "3 images of 2 classes"
    (tmp_path / "photos" / "cbb" / "notes.txt").touch()
    (tmp_path / "photos" / "healthy" / "again.jpg").write_bytes((tmp_path / "photos" / "cbb" / "000.jpg").read_bytes())
    odd = check_source(str(tmp_path / "photos"), dataclasses.replace(reading, classes=("cbb", "cmd", "healthy")))
    assert odd.what == (
        "4 images of 2 classes, none of cmd, 1 other file left aside (such as cbb/notes.txt),"
        " 1 in more than one class (such as cbb/000.jpg and healthy/again.jpg)"
    )
    assert len(odd.images.entries) == 4, "which label is wrong only a person can say"


def test_whether_anything_is_there_is_found_without_reading_it(data):
    images = Reading(IMAGE_COLUMNS, "images", classes=("more",))
    find_data(f"file://{data}", COLUMNS)
    find_data("s3://somewhere/else", COLUMNS)
    (data / "more" / "x.jpg").touch()
    find_data(str(data), images)
    for text, reading in ((data / "none", COLUMNS), (data / "day-{SPAN}", COLUMNS), (data / "none", images)):
        with pytest.raises(UsageError):
            find_data(str(text), reading)
