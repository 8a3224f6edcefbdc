"""One smoke run and one model server for each module here, which names its use case in USE_CASE."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.command import Ended, sluiceway
from tests.e2e.use_cases.published import Published, serving


@pytest.fixture(scope="module")
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Ended]:
    """(state folder, how ``run <USE_CASE> --env smoke --json`` ended)."""
    state = tmp_path_factory.mktemp(request.module.USE_CASE) / "state"
    return str(state), sluiceway("run", request.module.USE_CASE, "--json", state=state)


@pytest.fixture(scope="module")
def published(request: pytest.FixtureRequest, run: tuple[str, Ended], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """What the run published, served by ``python -m serving.server``."""
    state, ended = run
    assert ended.code == 0, ended.err
    with serving(request.module.USE_CASE, state, tmp_path_factory.mktemp("server")) as found:
        yield found
