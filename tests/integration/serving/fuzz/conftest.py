"""One real server with a few models, for all requests of this folder; each of its checks leaves it as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from serving.protocol import wire_pb2 as wire
from tests.integration.serving.contract.clients import Rest
from tests.integration.serving.contract.servers import HALF, served, wait_until_available
from tests.integration.serving.contract.zoo import entry, lay_out
from tests.integration.serving.fuzz.vitals import faults, look, wait_until_back
from tests.integration.serving.server_process import ServerProcess

MODELS = {
    "half": (("half_plus_two", 1), ("half_plus_three", 2)),
    **{name: ((name, 1),) for name in ("columns", "examples", "echo", "defaults")},
}
GOOD = ("half", '{"instances": [1.0, 2.0]}', [3.5, 4.0])
_AT_ONCE = 40


@pytest.fixture(scope="package")
def seed() -> int:
    """Where all requests come from; SLUICEWAY_FUZZ_SEED=7 makes others."""
    seed = int(os.environ.get("SLUICEWAY_FUZZ_SEED", "1"))
    print(f"SLUICEWAY_FUZZ_SEED={seed}")
    return seed


@pytest.fixture(scope="package")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    root = tmp_path_factory.mktemp("fuzz")
    lay_out(root, *((model, number, animal) for model, versions in MODELS.items() for animal, number in versions))
    with served(
        root, *(entry(root, model, HALF if model == "half" else "") for model in MODELS), flags=["--enable_grpc_healthcheck_service"]
    ) as server:
        wait_until_available(server, {model: len(versions) for model, versions in MODELS.items()})
        yield server


@pytest.fixture
def unharmed(target: ServerProcess) -> Iterator[ServerProcess]:
    """The server, busy enough before that its threads are all there; afterwards it holds nothing more and its log is clean."""
    fill_threads(target)
    before, written = look(target), target.log.stat().st_size
    yield target
    wait_until_back(target, before)
    assert faults(target, written) == []


def fill_threads(server: ServerProcess) -> None:
    """So many good requests at once that every executor has all the threads it may have."""
    rest = Rest(server.rest_address)
    status = wire.GetModelStatusRequest(model_spec=wire.ModelSpec(name="half")).SerializeToString()
    with grpc.insecure_channel(server.grpc_address) as channel, ThreadPoolExecutor(_AT_ONCE) as pool:
        calls = [channel.unary_unary("/tensorflow.serving.ModelService/GetModelStatus").future(status) for _ in range(5 * _AT_ONCE)]
        answers = list(pool.map(lambda _: rest.get("/v1/models/half"), range(5 * _AT_ONCE)))
        assert all(call.result() for call in calls)
    assert all(answer.status == 200 for answer in answers)
