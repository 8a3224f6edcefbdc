"""The server's memory stays what it is under requests of every kind and version swaps; the whole soak is `python -m benchmarks.soak`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.soak import load
from benchmarks.soak.mix import Kind
from benchmarks.soak.run import Plan, curve, soaking
from benchmarks.soak.verdict import Sample, judge
from tests.integration.serving.contract.zoo import zoo
from tests.integration.serving.server_process import ServerProcess

# So few requests that an allocator's habits are in sight: what grows by half of 1 kB for each request is a leak here, less is not seen.
REQUESTS = Plan(requests=5_000, swaps=0, warm_up=2_500, rounds=10)
LARGEST_GROWTH_BYTES = REQUESTS.requests * 1024 // 2
SWAPS = 5
# A version that stays, graph and session, is half a megabyte of this model.
LOADS, LARGEST_GROWTH_OF_LOADS_BYTES = 25, 8 * 2**20
LOAD = """
import sys
from pathlib import Path
import numpy as np
import psutil
from serving.server.runtime import session
def load(number):
    model = session.load(Path(sys.argv[1 + number % 2]), ["serve"])
    signature = model.signatures["serving_default"]
    model.run({signature.inputs["x"].tensor_name: np.float32([[1]])}, [signature.outputs["y"].tensor_name])
    model.close()
for number in range(int(sys.argv[3]) + 5):
    load(number)
    if number >= 5:
        print(psutil.Process().memory_info().rss)
"""


def rising(per_request: int, first: int = 300 * 2**20) -> list[Sample]:
    return [Sample(requests, 0, first + requests * per_request) for requests in range(0, 5_001, 500)]


def test_requests_and_swaps_leave_no_memory_behind(tmp_path: Path) -> None:
    with soaking(tmp_path) as (_, soak):
        soak.round(0, SWAPS)
        samples = curve(soak, REQUESTS)
    print(*samples, sep="\n")
    assert judge(samples, LARGEST_GROWTH_BYTES / samples[0].memory).flat


def test_a_version_that_is_unloaded_leaves_no_memory_behind() -> None:
    folders = [str(zoo() / name) for name in ("half_plus_two", "half_plus_three")]
    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD, *folders, str(LOADS)], capture_output=True, text=True, check=True, timeout=120
    )
    samples = [Sample(number, number, int(line)) for number, line in enumerate(child.stdout.split())]
    print(*samples, sep="\n")
    assert len(samples) == LOADS
    assert judge(samples, LARGEST_GROWTH_OF_LOADS_BYTES / samples[0].memory).flat


@pytest.mark.parametrize(("per_request", "flat"), [(0, True), (-1024, True), (1024, False)])
def test_a_leak_of_a_kilobyte_a_request_is_seen(per_request: int, flat: bool) -> None:
    samples = rising(per_request)
    verdict = judge(samples, LARGEST_GROWTH_BYTES / samples[0].memory)
    assert verdict.flat is flat
    assert verdict.per_request == pytest.approx(per_request)


def test_one_high_sample_is_no_leak() -> None:
    samples = rising(0)
    samples[-1] = Sample(samples[-1].requests, 0, samples[-1].memory * 2)
    assert judge(samples, 0.01).flat


def test_too_few_samples_are_no_curve() -> None:
    with pytest.raises(ValueError, match="no curve"):
        judge(rising(0)[:5], 0.05)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(("protocol", "path", "body"), [("rest", "/v1/models/nobody", None), ("grpc", "/no/method", b"")])
def test_an_answer_of_the_wrong_kind_ends_a_soak(
    target: ServerProcess, tmp_path: Path, plain: bool, protocol: str, path: str, body: bytes | None
) -> None:
    _, send = load.sender(target.rest_address, target.grpc_address, tmp_path, plain=plain)
    with pytest.raises(load.LoadFailed, match="wrong"):
        send(Kind("wrong", protocol, path, body), 3)
