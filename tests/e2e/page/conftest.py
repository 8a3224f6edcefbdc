"""One browser, one model server and one gateway for all tests of the page.

They end with this folder's last test: while Playwright's loop runs, no other test can have one.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.page import saved_models
from tests.e2e.page.browser import Watched, browser, watched
from tests.e2e.page.stage import Stage, fill_store, gateway, model_server, upstream


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture(scope="package")
def stage(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    # Without a browser there is nothing to build for.
    assert chromium.is_connected()
    folder = tmp_path_factory.mktemp("page")
    saved_models.build(folder / "built")
    store = fill_store(folder / "store", folder / "built")
    with model_server(store, folder) as grpc, gateway(folder / "gateway", store=str(store), **upstream(grpc)) as running:
        yield Stage(store, grpc, running)


@pytest.fixture
def seen(chromium: Browser, stage: Stage) -> Iterator[Watched]:
    """A new visitor's page, watched."""
    with watched(chromium, stage.gateway.url) as visit:
        yield visit
