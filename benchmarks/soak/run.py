"""One soak: a server on models of the tests' zoo, requests and swaps in rounds, a look at its memory after each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from benchmarks.soak import load, mix
from benchmarks.soak.verdict import Sample
from serving.launchers.readiness import wait_for
from serving.protocol.status import State, read_status_json
from tests.integration.serving.contract.servers import served, wait_until_available
from tests.integration.serving.contract.zoo import entry, lay_out, zoo
from tests.integration.serving.server_process import ServerProcess

_POLL = "--file_system_poll_wait_seconds=0.1"
_SWAP_SECONDS = 60.0


@dataclass(frozen=True)
class Plan:
    """How much of what. ``warm_up``: requests before the first look, with a tenth of the swaps; ``rounds``: looks after it."""

    requests: int
    swaps: int
    warm_up: int
    rounds: int = 20

    @property
    def warm_up_swaps(self) -> int:
        """Swaps before the first look."""
        return -(-self.swaps // 10)


class Soak:
    """A running server under load."""

    def __init__(self, root: Path, server: ServerProcess, send: load.Send) -> None:
        self._root, self._server, self._send = root, server, send
        self._version = 1

    def round(self, requests: int, swaps: int) -> None:
        """So many requests, all kinds in turn, and so many swaps meanwhile. Raises LoadFailed."""
        kinds = mix.kinds()
        shares = [requests // len(kinds) + (number < requests % len(kinds)) for number in range(len(kinds))]
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(lambda: [self._send(kind, share) for kind, share in zip(kinds, shares, strict=True) if share])
            for _ in range(swaps):
                self._swap()
            sending.result()

    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self._server.process.pid).memory_info().rss)

    def _swap(self) -> None:
        """Publish the next version, wait until it answers and the one before is gone, from the server and from the disk."""
        model, animals = mix.SWAPPED
        old, new = self._version, self._version + 1
        staged = self._root / model / f".{new}"
        shutil.copytree(zoo() / animals[new % len(animals)], staged)
        staged.rename(self._root / model / str(new))

        def swapped() -> bool | None:
            rows = read_status_json(httpx.get(f"{self._server.rest_address}/v1/models/{model}").json())
            states = {row.version: row.state for row in rows}
            return True if states.get(new) is State.AVAILABLE and states.get(old) is State.END else None

        wait_for(swapped, self._server.process.poll, what=f"version {new} had replaced {old}", deadline_seconds=_SWAP_SECONDS)
        shutil.rmtree(self._root / model / str(old))
        self._version = new


@contextmanager
def soaking(root: Path, flags: Sequence[str] = (), *, plain: bool = False) -> Iterator[tuple[str, Soak]]:
    """A server below the folder `root`, and what sends to it. ``flags`` are the server's."""
    lay_out(root, *((model, 1, animal) for model, animal in mix.MODELS.items()))
    with served(root, *(entry(root, model) for model in mix.MODELS), flags=[_POLL, *flags]) as server:
        wait_until_available(server, dict.fromkeys(mix.MODELS, 1))
        name, send = load.sender(server.rest_address, server.grpc_address, root, plain=plain)
        yield name, Soak(root, server, send)


def curve(soak: Soak, plan: Plan, tell: Callable[[Sample], None] = lambda _: None) -> list[Sample]:
    """Warm up, then look after each round; ``tell`` hears of each look at once. Raises LoadFailed."""
    soak.round(plan.warm_up, plan.warm_up_swaps)
    samples = [Sample(0, 0, soak.memory())]
    tell(samples[0])
    for number in range(1, plan.rounds + 1):
        requests, swaps = plan.requests * number // plan.rounds, plan.swaps * number // plan.rounds
        soak.round(requests - samples[-1].requests, swaps - samples[-1].swaps)
        samples.append(Sample(requests, swaps, soak.memory()))
        tell(samples[-1])
    return samples
