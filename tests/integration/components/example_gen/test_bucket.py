"""Data in a bucket, on a real S3 endpoint: found, checked and read as local files are; what is wrong is one line in bounded time."""

from __future__ import annotations

import socket
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.example_gen.bucket import Bucket
from components.example_gen.convert import read_csv
from components.example_gen.parquet import read_parquet
from components.example_gen.reading import Reading
from components.example_gen.source import check_source, real_place
from configs.errors import UsageError
from pipeline.layout import Layout
from pipeline.staging import PATTERN, stage_data
from tests.fakes.object_store import CREDENTIALS, ask_for_credentials, make_bucket, object_store, put

COLUMNS = Reading({"fare": "FLOAT", "company": "BYTES"})
GOOD = b"fare,company\n1,a\n"
NAMES = ("day 1/x.csv", "day 1/y.csv", "day 1/old/z.csv", "day 1/notes.txt", "day 2/x.csv")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    with object_store(tmp_path_factory.mktemp("store") / "log.txt") as address:
        make_bucket(address, "trips")
        for name in NAMES:
            put(address, f"trips/{name}", GOOD)
        put(address, "trips/bad/rows.csv", GOOD + b"1,\xff\n")
        yield address


@pytest.fixture(autouse=True)
def _credentials(monkeypatch, endpoint):
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("s3://trips/day 1", ["day 1/x.csv", "day 1/y.csv"]),
        ("s3://trips/day 1/", ["day 1/x.csv", "day 1/y.csv"]),
        ("s3://trips/day 1/x.csv", ["day 1/x.csv"]),
        ("s3://trips/day 1/*.csv", ["day 1/x.csv", "day 1/y.csv"]),
        ("s3://trips/day */x.csv", ["day 1/x.csv", "day 2/x.csv"]),
        ("s3://trips/day 1/[!x].csv", ["day 1/y.csv"]),
        ("s3://trips/day 1/**/*.csv", ["day 1/old/z.csv", "day 1/x.csv", "day 1/y.csv"]),
        ("S3://trips/day 2", ["day 2/x.csv"]),
    ],
)
def test_a_file_a_folder_or_a_glob_is_found(text, names):
    source = check_source(text, COLUMNS)
    assert source.files == ()
    assert source.uris == source.places == tuple(f"s3://trips/{name}" for name in names)


def test_the_same_rows_have_the_same_digest_here_and_in_a_bucket(tmp_path):
    for name in ("x.csv", "y.csv"):
        (tmp_path / name).write_bytes(GOOD)
    assert check_source("s3://trips/day 1", COLUMNS).digest == check_source(str(tmp_path), COLUMNS).digest


def test_other_content_has_another_digest(endpoint):
    put(endpoint, "trips/new/x.csv", GOOD)
    before = check_source("s3://trips/new", COLUMNS).digest
    put(endpoint, "trips/new/x.csv", GOOD + b"2,b\n")
    assert check_source("s3://trips/new", COLUMNS).digest != before


def test_of_a_large_file_the_beginning_is_checked_and_size_and_time_are_its_digest(endpoint, monkeypatch):
    monkeypatch.setattr("components.example_gen.bucket.WHOLE_BYTES", 100)
    monkeypatch.setattr("components.example_gen.bucket._HEAD_BYTES", 50)
    # What is wrong far down shows when the run reads it.
    put(endpoint, "trips/large/x.csv", GOOD + b"1,a\n" * 100 + b"1,\xff\n")
    before = check_source("s3://trips/large", COLUMNS).digest
    assert check_source("s3://trips/large", COLUMNS).digest == before
    put(endpoint, "trips/large/x.csv", GOOD + b"1,a\n" * 200)
    assert check_source("s3://trips/large", COLUMNS).digest != before
    with pytest.raises(UsageError, match=r"^s3://trips/large/x\.csv: the columns do not fit the schema: unknown 'company' \(data"):
        check_source("s3://trips/large", Reading({"fare": "FLOAT"}))


def test_what_is_staged_is_read_by_whoever_has_the_credentials(tmp_path):
    layout = Layout(tmp_path / "state", tmp_path / "store", "taxi")
    source = check_source("s3://trips/day 1", COLUMNS)
    folder = stage_data(source, layout)
    staged = sorted(folder.glob(PATTERN))
    times = [path.stat().st_mtime_ns for path in staged]
    assert [real_place(str(path)) for path in staged] == list(source.uris)
    batch, _ = read_csv(real_place(str(staged[0])), COLUMNS)
    assert batch.to_pydict() == {"fare": [[1.0]], "company": [[b"a"]]}
    # TFX caches by time as well: staging the same again touches nothing.
    assert stage_data(source, layout) == folder
    assert [path.stat().st_mtime_ns for path in staged] == times


def test_a_broken_value_is_told_with_file_and_line(endpoint):
    put(endpoint, "trips/broken/x.csv", b'\xef\xbb\xbffare,company\n\nbad,a\n\n1,"b\nc"\nworse,d\n')
    batch, _ = read_csv("s3://trips/broken/x.csv", COLUMNS)
    assert batch.to_pydict()["fare:unreadable"] == [[b"x.csv line 3: 'bad'"], None, [b"x.csv line 7: 'worse'"]]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("job", ["job/a.csv"]),
        ("job/*.csv", ["job/a.csv"]),
        ("job/_*.csv", ["job/_b.csv"]),
        ("job/_b.csv", ["job/_b.csv"]),
        ("jobs-{SPAN}", ["jobs-1/a.csv"]),
    ],
)
def test_what_a_writer_keeps_for_itself_is_no_data(endpoint, text, names):
    for name in (
        "job/a.csv",
        "job/_b.csv",
        "job/.c.csv",
        "job/_temporary/d.csv",
        "jobs-1/a.csv",
        "jobs-2/_b.csv",
        "jobs-2/_temporary/d.csv",
    ):
        put(endpoint, f"trips/{name}", GOOD)
    assert check_source(f"s3://trips/{text}", COLUMNS).uris == tuple(f"s3://trips/{name}" for name in names)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("s3://trips/day 1/none.csv", "data 's3://trips/day 1/none.csv': there is no such file or folder"),
        ("s3://trips/day 1/*.parquet", "data 's3://trips/day 1/*.parquet': no file fits '*.parquet' below s3://trips/day 1"),
        ("s3://trips", "data 's3://trips': no file fits '*.csv' or '*.parquet' below s3://trips"),
        ("s3://no-such-bucket/x.csv", "data 's3://no-such-bucket/x.csv': there is no such bucket 'no-such-bucket'"),
        ("s3://no-such-bucket", "data 's3://no-such-bucket': there is no such bucket 'no-such-bucket'"),
        ("s3://trips/bad", "s3://trips/bad/rows.csv: line 3 is not UTF-8; convert the file first"),
        ("hdfs://node/x.csv", "data 'hdfs://node/x.csv': unknown scheme 'hdfs'; allowed: a path, gs://, s3://"),
        ("s3:///x.csv", "data 's3:///x.csv': no bucket is named; expected s3://bucket/..."),
        ("s3://*/x.csv", "data 's3://*/x.csv': no bucket is named; expected s3://bucket/..."),
        ("s3://me:secret@trips/x", "data s3://...: no secrets in a URI; give them in the environment (AWS_ACCESS_KEY_ID, ...)"),
        ("s3://trips/x?secret_key=y", "data s3://...: no secrets in a URI; give them in the environment (AWS_ACCESS_KEY_ID, ...)"),
    ],
)
def test_what_is_not_there_is_one_line(text, told):
    with pytest.raises(UsageError) as caught:
        check_source(text, COLUMNS)
    assert str(caught.value) == told


def test_with_a_key_that_the_store_does_not_know_access_is_denied_in_one_line(endpoint):
    ask_for_credentials(endpoint, wanted=True)
    try:
        for text in ("s3://trips/day 1/*.csv", "s3://trips/day 1/x.csv"):
            with pytest.raises(UsageError, match=r"^data 's3://trips/day 1/.*': access denied; give credentials that may read it"):
                check_source(text, COLUMNS)
    finally:
        ask_for_credentials(endpoint, wanted=False)


def test_a_store_that_cannot_be_reached_is_one_line_in_bounded_time():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    started = time.monotonic()
    with pytest.raises(UsageError, match="the object store cannot be reached") as caught:
        check_source(f"s3://trips/x.csv?endpoint_override={address}&scheme=http", COLUMNS)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - started < 30


def test_a_store_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr("components.example_gen.bucket._SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UsageError, match="the object store did not answer within 1 s"):
            Bucket.of(f"s3://trips/x.csv?endpoint_override={address}&scheme=http").files()


@pytest.fixture(scope="module")
def parquet(endpoint, tmp_path_factory):
    """Rows in Parquet, below spans."""
    path = tmp_path_factory.mktemp("rows") / "x.parquet"
    pq.write_table(pa.table({"fare": [1.0, 2.0, 3.0], "company": ["a", "b", None]}), path, row_group_size=1)
    for name in ("span-9/x", "span-010/v1/x", "span-010/v2/x", "span-8/v1/x", "span-8/v02/x", "day-1/x", "day-01/x", "mixed/x"):
        put(endpoint, f"trips/{name}.parquet", path.read_bytes())
    put(endpoint, "trips/mixed/x.csv", GOOD)
    return path


@pytest.mark.usefixtures("parquet")
@pytest.mark.parametrize("largest", [2**20, 100])
def test_parquet_is_checked_and_read_where_it_is(parquet, monkeypatch, largest):
    monkeypatch.setattr("components.example_gen.bucket.WHOLE_BYTES", largest)
    source = check_source("s3://trips/span-9", COLUMNS)
    assert source.uris == ("s3://trips/span-9/x.parquet",)
    assert (source.digest == check_source(str(parquet), COLUMNS).digest) is (largest > 100)
    batches = [batch.to_pydict() for batch, _ in read_parquet(source.uris[0], COLUMNS)]
    assert batches == [batch.to_pydict() for batch, _ in read_parquet(parquet, COLUMNS)]
    with pytest.raises(UsageError, match=r"^s3://trips/span-9/x\.parquet: the columns do not fit the schema: unknown 'company'"):
        check_source("s3://trips/span-9", Reading({"fare": "FLOAT"}))


@pytest.mark.usefixtures("parquet")
@pytest.mark.parametrize(
    ("text", "spans", "names"),
    [
        ("span-{SPAN}/", 1, ["span-9/x"]),
        ("span-{SPAN}/v{VERSION}", None, ["span-8/v02/x", "span-010/v2/x"]),
        ("span-{SPAN}/v{VERSION}/*.parquet", 1, ["span-010/v2/x"]),
        ("span-{SPAN}/v1/*.parquet", 1, ["span-010/v1/x"]),
    ],
)
def test_the_newest_spans_are_the_data(text, spans, names):
    source = check_source(f"s3://trips/{text}", Reading(COLUMNS.columns, spans=spans))
    assert source.uris == tuple(f"s3://trips/{name}.parquet" for name in names)


@pytest.mark.usefixtures("parquet")
def test_both_kinds_in_one_place_are_refused():
    with pytest.raises(UsageError, match=r"s3://trips/mixed/x\.csv is CSV and s3://trips/mixed/x\.parquet is Parquet"):
        check_source("s3://trips/mixed", COLUMNS)


@pytest.mark.usefixtures("parquet")
def test_one_number_in_two_writings_is_told():
    with pytest.raises(UsageError, match="the same number stands there twice"):
        check_source("s3://trips/day-{SPAN}", COLUMNS)


def test_no_span_is_one_line():
    with pytest.raises(UsageError) as caught:
        check_source("s3://trips/week-{SPAN}", COLUMNS)
    assert str(caught.value) == "data 's3://trips/week-{SPAN}': no file fits 'week-{SPAN}' below s3://trips"
