"""One model server with every good model, and a plain gateway before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.serving.contract.servers import good_server
from tests.integration.serving.gateway.front import Front, gateway, upstream
from tests.integration.serving.server_process import ServerProcess


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with good_server(tmp_path_factory.mktemp("models")) as process:
        yield process


@pytest.fixture(scope="package")
def front(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with gateway(tmp_path_factory.mktemp("front"), upstream(server.grpc_address)) as process:
        yield process
