"""One server for all tables of the contract, its flags as they are when nobody sets them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.integration.serving.contract.clients import Grpc, Rest, stock_modules
from tests.integration.serving.contract.servers import good_server
from tests.integration.serving.server_process import ServerProcess


@pytest.fixture(scope="session")
def stock() -> Any:
    return stock_modules()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with good_server(tmp_path_factory.mktemp("contract")) as process:
        yield process


@pytest.fixture(scope="package")
def rest(server: ServerProcess) -> Rest:
    return Rest(server.rest_address)


@pytest.fixture(scope="package")
def client(server: ServerProcess, stock: Any) -> Iterator[Grpc]:
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield Grpc(stock, channel)
