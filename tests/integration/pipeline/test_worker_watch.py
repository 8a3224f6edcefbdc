"""A Beam worker that never comes, or goes, ends the run with its reason; Beam itself would wait for ever."""

from __future__ import annotations

import os
import signal
import time

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import worker_watch
from pipeline.workers import GONE
from tests.fakes.worker_pool import free_port, kill, worker_pool

# Beam's own thread that listened to a worker ends with the error of the broken connection.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
# Far below the test run's own end for a hang, far above what an import of Beam takes on a busy machine.
SOON = 60.0


@pytest.fixture(autouse=True)
def _watched():
    worker_watch.watch_workers()


def run_on(address, work, *, more=False):
    options = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=EXTERNAL", f"--environment_config={address}"]
    with beam.Pipeline(options=PipelineOptions(options)) as pipeline:
        done = pipeline | beam.Create([1, 2, 3]) | beam.Reshuffle() | beam.Map(work)
        if more:
            _ = done | beam.combiners.Count.Globally() | beam.Map(str)


def ends_with(message, address, work=abs, *, more=False):
    started = time.monotonic()
    with pytest.raises(RuntimeError, match=message):
        run_on(address, work, more=more)
    assert time.monotonic() - started < SOON


def test_a_pool_elsewhere_does_the_work(tmp_path):
    with worker_pool(tmp_path) as (address, _):
        run_on(address, abs, more=True)


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("more", [False, True], ids=["nothing comes back", "rows come back"])
def test_a_worker_that_is_killed_at_its_work_is_missed(more, tmp_path):
    with worker_pool(tmp_path) as (address, _):
        # Where the driver reads rows of the worker, Beam sees the end by itself; it waits for ever where it only waits for an answer.
        ends_with(f"is gone|{GONE}", address, die, more=more)


def test_a_pool_that_dies_with_its_workers_is_missed(tmp_path):
    def die_all(_):
        os.killpg(os.getpgrp(), signal.SIGKILL)

    with worker_pool(tmp_path) as (address, _):
        ends_with("is gone", address, die_all)


def test_a_pool_that_is_gone_is_told(tmp_path):
    with worker_pool(tmp_path) as (address, pool):
        kill(pool)
        ends_with("does not answer", address)
    ends_with("does not answer", f"localhost:{free_port()}")


def test_a_pool_whose_python_starts_no_worker_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_watch, "COMES_WITHIN", 3.0)
    other = tmp_path / "bin" / "python"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    other.chmod(0o755)
    with worker_pool(tmp_path / "pool", PATH=f"{other.parent}:/usr/bin:/bin") as (address, _):
        ends_with("did not report in within 3 s", address)


def test_a_pool_without_a_python_is_told(tmp_path):
    with worker_pool(tmp_path, PATH=str(tmp_path / "nothing")) as (address, _):
        ends_with("started no worker: .*No such file or directory: 'python'", address)


def test_workers_in_this_process_are_watched_and_work():
    options = PipelineOptions(["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=LOOPBACK"])
    with beam.Pipeline(options=options) as pipeline:
        _ = pipeline | beam.Create([1, 2, 3]) | beam.Map(abs)
