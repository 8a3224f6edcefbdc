"""Requests are answered where they are read only as long as the version that was found to be quick is the one that answers."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from serving.server.app import App
from serving.server.models import Models
from serving.server.pages import Pages
from serving.server.rest_api import RestApi
from tests.fakes.core import core_of
from tests.fakes.servable import FakeServable, double

PATH = b"/v1/models/m:predict"


class Quick(FakeServable):
    """A model that always expects to be quick, and remembers in which threads it ran."""

    def __init__(self) -> None:
        super().__init__(graph=self._note)
        self.threads: list[threading.Thread] = []

    def _note(self, feeds: Any) -> Any:
        self.threads.append(threading.current_thread())
        return double(feeds)

    def quick(self, *_: object) -> bool:
        return True


async def ask(app: App) -> int:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps({"instances": [1.0]}).encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "method": "POST", "raw_path": PATH, "headers": []}, receive, send)
    return int(sent[0]["status"])


def test_the_first_run_of_a_new_version_is_not_on_the_loop() -> None:
    models, versions = Models(), [Quick(), Quick()]
    core = core_of(models)
    loop = threading.current_thread()

    async def ask_both(app: App) -> None:
        for number, version in enumerate(versions, start=1):
            models.load("m", number, lambda version=version: version)  # type: ignore[misc] # mypy sees no type in a default
            assert [await ask(app) for _ in range(3)] == [200] * 3

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(ask_both(App(RestApi(core), Pages(core), executor)))
    assert [[thread is loop for thread in version.threads] for version in versions] == [[False, True, True]] * 2
