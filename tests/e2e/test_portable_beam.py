"""The whole pipeline with its data nodes in other processes: on Beam's portable runner, with an external worker pool.

The pool stands in for the workers of a cluster: a process of its own, in another working directory, with another temporary folder and
home, which shares with the driver nothing but the installed code, the state folder (the shared volume) and the object store.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from pipeline.use_cases.base import get_use_case
from serving.store.local import LocalStore
from tests.e2e.command import Ended, sluiceway, started
from tests.fakes.object_store import CREDENTIALS, make_bucket, object_store, put
from tests.fakes.worker_pool import free_port, kill, worker_pool

# A run on fresh workers takes about two minutes, and the first test may wait for the shared first run.
pytestmark = pytest.mark.timeout(900)


def portable(address: str) -> list[str]:
    arguments = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=EXTERNAL", f"--environment_config={address}"]
    return ["--set", f"beam.args={arguments}"]


def golden_numbers(state: Path) -> list[float]:
    """Every number in the golden requests and answers of version 1."""
    text = (state / "store" / "taxi" / "1" / "assets.extra" / "golden.json").read_text(encoding="utf-8")
    return [float(number) for number in re.findall(r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?", text)]


def rows(ended: Ended) -> str:
    return str(next(node["figure"] for node in ended.document["nodes"] if node["name"] == "StatisticsGen"))


def test_workers_elsewhere_make_of_rows_in_a_bucket_what_this_process_makes_of_a_file(
    first_run: tuple[Path, Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_state, first = first_run
    assert first.code == 0, first.err
    state = tmp_path / "state"
    with object_store(tmp_path / "store.log") as address:
        make_bucket(address, "trips")
        put(address, "trips/taxi/data.csv", get_use_case("taxi").source().read_bytes())
        reaching = {**CREDENTIALS, "AWS_ENDPOINT_URL": address}
        for name, value in reaching.items():
            monkeypatch.setenv(name, value)
        data = ["--data", "s3://trips/taxi/*.csv"]
        # The same rows are the same run, wherever they lie and whoever works on them.
        here, there = (sluiceway("check", "taxi", "--json", *given, state=state).document for given in ([], data))
        assert here["fingerprint"] == there["fingerprint"]
        with worker_pool(tmp_path / "pool", **reaching) as (pool, _):
            ended = sluiceway("run", "taxi", "--json", *data, *portable(pool), state=state)
    assert ended.code == 0, ended.err
    assert (ended.document["verdict"], ended.document["version"]) == ("live", 1)
    assert {node["state"] for node in ended.document["nodes"]} == {"done"}
    assert rows(ended) == rows(first)
    assert ended.document["metrics"] == pytest.approx(first.document["metrics"], abs=1e-3)
    assert golden_numbers(state) == pytest.approx(golden_numbers(first_state), abs=1e-3)
    outputs, expected = ([answer["outputs"] for answer in run.document["answers"]] for run in (ended, first))
    assert [answer["label"] for answer in outputs] == [answer["label"] for answer in expected]
    assert [answer["probability"] for answer in outputs] == pytest.approx([answer["probability"] for answer in expected], abs=1e-3)
    LocalStore(state / "store").verify("taxi", 1)
    workers = (tmp_path / "pool" / "pool.log").read_text(encoding="utf-8")
    assert workers.count("Starting worker with command") >= 4, "each Beam node asked the pool for its workers"


def test_a_pool_that_is_not_there_is_told_in_seconds(tmp_path: Path) -> None:
    begun, address = time.monotonic(), f"localhost:{free_port()}"
    ended = sluiceway("run", "taxi", "--json", *portable(address), state=tmp_path / "state")
    assert ended.code == 2, ended.err
    assert ended.document["verdict"] == "failed"
    (reason,) = ended.document["reasons"]
    assert reason["message"].startswith(f"no Beam worker pool at {address}: ")
    assert time.monotonic() - begun < 30


def test_a_pool_that_is_killed_in_the_middle_fails_the_run_and_publishes_nothing(tmp_path: Path) -> None:
    with worker_pool(tmp_path / "pool") as (address, pool):
        run = started("run", "taxi", *portable(address), state=tmp_path / "state")
        try:
            assert run.stdout is not None
            assert any(line.startswith("StatisticsGen") for line in run.stdout), "the run never came to StatisticsGen"
            # Transform has begun, or does within moments.
            time.sleep(5)
            kill(pool)
            begun = time.monotonic()
            rest, _ = run.communicate(timeout=120)
        finally:
            run.kill()
            run.wait()
    assert run.returncode == 1, rest
    assert "FAILED: Transform: " in rest
    assert "Beam worker" in rest
    assert time.monotonic() - begun < 60
    assert LocalStore(tmp_path / "state" / "store").versions("taxi") == []


def test_a_wrong_beam_argument_is_found_before_a_run(tmp_path: Path) -> None:
    for wrong in ("beam.args=['--runner=Moon']", "beam.nodes={Trainer: ['--runner=FlinkRunner']}", "beam.args=['--direct_num_workers=x']"):
        ended = sluiceway("check", "taxi", "--json", "--set", wrong, state=tmp_path / "state")
        assert ended.code == 2
        assert ended.document["error"]["message"].startswith("beam.")
