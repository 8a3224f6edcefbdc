"""What wrk prints, as a sample."""

import pytest

from benchmarks.serve.sample import NoSample
from benchmarks.serve.wrk import parse

OUTPUT = """Running 3s test @ http://127.0.0.1:1/predict
  1 threads and 16 connections
Requests/sec:   1969.33
RESULT requests=6000 microseconds=3000000 p50=7983 p99=13273 status=0 connect=0 read=0 write=0 timeout=0
"""


def test_the_script_s_last_line_is_read():
    sample = parse(OUTPUT)
    assert (sample.rate, sample.p50, sample.p99) == (2000.0, 7.983, 13.273)
    assert (sample.requests, sample.failed) == (6000, 0)


def test_refused_requests_are_no_good_answers():
    sample = parse(OUTPUT.replace("status=0", "status=600"))
    assert (sample.rate, sample.requests, sample.failed) == (1800.0, 6000, 600)


def test_requests_without_an_answer_are_counted_too():
    sample = parse(OUTPUT.replace("read=0", "read=4").replace("timeout=0", "timeout=3"))
    assert (sample.rate, sample.requests, sample.failed) == (2000.0, 6007, 7)


def test_no_last_line_is_no_sample():
    with pytest.raises(NoSample, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:1 Connection refused")
