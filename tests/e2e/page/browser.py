"""Debian's Chromium, a page in it that is watched (where it sends requests, what its console says), and what a person does there."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

GREEN, BROWN = (50, 155, 50), (115, 62, 25)

_PROGRAM = "chromium"
_INSTALL_SECONDS = 600
_PATIENCE_MS = 20_000
# What Chromium says of an answer that is no success; the page tells its reader.
_STATUS = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


def chromium() -> str:
    """The program; in CI it is installed when it is missing, elsewhere the test is skipped."""
    if shutil.which(_PROGRAM) is None and os.environ.get("SLUICEWAY_CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", _PROGRAM]):
            subprocess.run(["apt-get", *command], env=quiet, check=False, capture_output=True, timeout=_INSTALL_SECONDS)
    found = shutil.which(_PROGRAM)
    if found is None:
        pytest.skip("the page is tested in Chromium, which is not here (Debian: apt-get install chromium)")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A running Chromium."""
    program = chromium()
    with sync_playwright() as playwright:
        # A busy machine takes its time.
        expect.set_options(timeout=_PATIENCE_MS)
        # Its sandbox does not start for root; what it shows here is ours.
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield running
        running.close()


@dataclass
class Watched:
    """A page, and what it did. ``refusals``: the statuses that the test means to provoke."""

    page: Page
    refusals: set[int] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    def complaints(self) -> list[str]:
        """Errors and warnings of the console that the test did not mean to provoke."""
        statuses = [(text, _STATUS.match(text)) for text in self.said]
        return [text for text, match in statuses if match is None or int(match.group(1)) not in self.refusals]


@contextmanager
def watched(running: Browser, origin: str, **context: Any) -> Iterator[Watched]:
    """A new page, as of a new visitor. At its end it must have spoken to its origin alone, and its console must be quiet."""
    options = {"locale": "en-GB", "timezone_id": "Europe/Berlin", "base_url": origin, "reduced_motion": "reduce", **context}
    visitor = running.new_context(**options)
    try:
        seen = Watched(visitor.new_page())
        seen.page.on("request", lambda request: seen.hosts.add(_host(request.url)))
        seen.page.on("console", lambda message: seen.said.append(message.text) if message.type in ("error", "warning") else None)
        seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
        try:
            yield seen
        except BaseException:
            print("the console said:", seen.said)  # a script that did not load says so nowhere else
            raise
        assert seen.hosts <= {urlsplit(origin).netloc, "memory"}
        assert seen.complaints() == [], seen.complaints()
    finally:
        visitor.close()


def _host(url: str) -> str:
    return "memory" if url.startswith(("blob:", "data:")) else urlsplit(url).netloc


def photo(name: str = "leaf.jpg", colour: tuple[int, int, int] = GREEN, **save: Any) -> FilePayload:
    """A JPEG of one colour, 80 x 40 pixels."""
    file = io.BytesIO()
    Image.new("RGB", (80, 40), colour).save(file, "JPEG", quality=95, **save)
    return {"name": name, "mimeType": "image/jpeg", "buffer": file.getvalue()}


def choose(page: Page, *files: FilePayload) -> None:
    """Choose images for the model."""
    page.get_by_label("Choose images").set_input_files(list(files))
    expect(page.get_by_role("list", name="Chosen images").get_by_role("listitem")).to_have_count(len(files))


def press(page: Page, name: str) -> None:
    """Press a button."""
    page.get_by_role("button", name=name, exact=True).click()
