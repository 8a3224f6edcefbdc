"""What h2load prints, as a sample."""

import pytest

from benchmarks.serve.h2load import framed, parse
from benchmarks.serve.sample import NoSample

OUTPUT = """finished in 2.00s, 50.00 req/s, 9.49KB/s
requests: 100 total, 116 started, 100 done, 100 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 100 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 18.99KB (19444) total, 4.50KB (4608) headers (space savings 79.96%), 1.46KB (1500) data
"""
LOG = [f"1700000000000000\t200\t{number * 1000}" for number in range(1, 101)]


def test_a_message_is_prefixed_with_its_length():
    assert framed(b"abc") == b"\0\0\0\0\3abc"


def test_summary_and_log_make_a_sample():
    sample = parse(OUTPUT, LOG, answer_bytes=15)
    assert (sample.rate, sample.requests, sample.failed) == (50.0, 100, 0)
    assert sample.p50 == pytest.approx(50.5)
    assert sample.p99 == pytest.approx(99.01)


def test_calls_that_brought_no_answer_failed_though_http_says_200():
    sample = parse(OUTPUT.replace("(1500) data", "(1200) data"), LOG, answer_bytes=15)
    assert (sample.rate, sample.failed) == (40.0, 20)


def test_data_of_calls_that_the_end_cut_off_is_no_answer_more():
    assert parse(OUTPUT.replace("(1500) data", "(1560) data"), LOG, answer_bytes=15).failed == 0


def test_failed_streams_are_counted():
    text = OUTPUT.replace("100 succeeded, 0 failed, 0 errored", "100 succeeded, 7 failed, 7 errored")
    sample = parse(text, [*LOG, "1700000000000000\t-1\t5"], answer_bytes=15)
    assert (sample.requests, sample.failed) == (107, 7)


@pytest.mark.parametrize(
    ("text", "log"),
    [("could not connect", []), (OUTPUT.replace("100 succeeded", "0 succeeded"), LOG), (OUTPUT, LOG[:1])],
)
def test_nothing_answered_is_no_sample(text, log):
    with pytest.raises(NoSample):
        parse(text, log, answer_bytes=15)
