"""Workers in other processes: missed before a run in bounded time, and what they raise told in one line."""

from __future__ import annotations

import socket
import time

import pytest

from configs.errors import UsageError
from pipeline.workers import check_reachable, worker_line

CROSSED = """Traceback (most recent call last):
  File "fn_runner.py", line 1, in run
RuntimeError: Error received from SDK harness for instruction bundle_4: Traceback (most recent call last):
  File "sdk_worker.py", line 1, in _execute
configs.errors.UsageError: s3://trips/a.csv: access denied

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "sdk_worker.py", line 1, in _execute
{last} [while running 'Run[ExampleGen]/Read']

"""


def test_what_listens_is_reachable():
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_reachable({f"127.0.0.1:{server.getsockname()[1]}": "Beam worker pool"})


def test_what_does_not_listen_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(UsageError) as caught:
        check_reachable({address: "Beam worker pool"})
    assert str(caught.value) == f"no Beam worker pool at {address}: Connection refused; start it, or choose other beam.args"


def test_a_host_that_there_is_not_is_told():
    with pytest.raises(UsageError, match=r"^no Flink job manager at no\.such\.host\.invalid:1: "):
        check_reachable({"no.such.host.invalid:1": "Flink job manager"})


def test_what_swallows_connections_is_told_in_bounded_time():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        # The queue of connections that nobody accepts is full; the next one gets no answer.
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        started = time.monotonic()
        with pytest.raises(UsageError, match="timed out"):
            check_reachable({f"127.0.0.1:{address[1]}": "Beam worker pool"}, seconds=0.3)
        assert time.monotonic() - started < 5
        for each in waiting:
            each.close()


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("configs.errors.UsageError: s3://trips/a.csv: access denied", "s3://trips/a.csv: access denied"),
        ("ValueError: no number", "ValueError: no number"),
        ("RuntimeError: Channel closed prematurely.", "a Beam worker is gone, often for want of memory; its log says more"),
    ],
)
def test_the_innermost_error_of_a_worker_is_told_in_one_line(last, told):
    assert worker_line(CROSSED.format(last=last)) == told


@pytest.mark.parametrize("text", ["", "a line", "ValueError: no traceback", "Traceback (most recent call last):\n nothing"])
def test_without_a_workers_traceback_nothing_is_made_up(text):
    assert worker_line(text) is None
