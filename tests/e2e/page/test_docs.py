"""The description of the API, and what is served with the page."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Error, expect

from tests.e2e.page.browser import Watched, watched
from tests.e2e.page.stage import NOBODY, Stage, gateway, upstream

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]


def test_every_call_is_described_with_a_line_that_works(seen: Watched, stage: Stage) -> None:
    page = seen.page
    page.goto("docs?model=trips")
    expect(page.locator(".line").first).to_be_visible()
    calls = page.locator("article h3").all_inner_texts()
    for path in ("POST /v1/models/{model}:predict", "POST /predict/{model}/image", "GET /models/{model}/history", "GET /readyz"):
        assert path.split() in [call.split() for call in calls]
    lines = {text.rpartition("/")[2]: text for text in page.locator(".line code").all_inner_texts()}
    assert lines["image"] == f"curl -F file=@leaf.jpg {stage.gateway.url}/predict/trips/image"
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("the lines are for curl, which is not here (Debian: apt-get install curl)")
    for name in ("history", "metadata", "models", "readyz"):
        ended = subprocess.run(["sh", "-c", f"{lines[name]} -sf --noproxy '*'"], capture_output=True, text=True, timeout=30, check=False)
        assert (name, ended.returncode, ended.stdout[:1]) == (name, 0, "{")


def test_a_line_follows_the_models_name_and_is_copied(chromium: Browser, stage: Stage) -> None:
    with watched(chromium, stage.gateway.url, permissions=["clipboard-read", "clipboard-write"]) as seen:
        page = seen.page
        seen.refusals.add(404)  # there is no such model to learn columns from
        page.goto("docs")
        page.get_by_label("Show the lines for the model").fill("it's mine")
        page.get_by_role("button", name="Copy the line for GET /models/{model}", exact=True).click()
        expect(page.get_by_role("status")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert subprocess.run(["sh", "-c", copied.replace("curl", "printf %s", 1)], capture_output=True, text=True, check=True).stdout == (
            f"{stage.gateway.url}/models/it's%20mine"
        )


def test_pages_say_where_scripts_may_come_from_and_hold_none_themselves(stage: Stage) -> None:
    with httpx.Client(base_url=stage.gateway.url) as client:
        for path in ("/", "/docs", "/page/js/main.js", "/page/css/base.css", "/page/icon.svg", "/page/about.json"):
            answer = client.get(path)
            policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
            assert (path, answer.status_code, policy["default-src"], policy["script-src"]) == (path, 200, "'none'", "'self'")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "unsafe" not in answer.headers["content-security-policy"]
        for path in ("/", "/docs"):
            text = client.get(path).text
            assert "<style" not in text
            assert " style=" not in text
            assert text.count("<script") == text.count('<script type="module" src="page/js/') == 1
        assert client.get("/page/../__init__.py").status_code == 404
        assert client.get("/page/%2e%2e/__init__.py").status_code == 404


def test_markup_cannot_be_made_of_texts_even_by_mistake(seen: Watched) -> None:
    seen.page.goto("")
    with pytest.raises(Error, match="TrustedHTML"):
        seen.page.evaluate("document.body.innerHTML = '<b>text</b>'")
    assert [text for text in seen.complaints() if "TrustedHTML" not in text] == []
    seen.said.clear()


def test_without_its_description_the_page_has_no_link_to_it(chromium: Browser, tmp_path: Path) -> None:
    with gateway(tmp_path, docs=False, **upstream(NOBODY)) as bare, watched(chromium, bare.url) as seen:
        seen.page.goto("")
        expect(seen.page.get_by_label("Name of a model")).to_be_visible()
        assert httpx.get(f"{bare.url}/page/about.json").json() == {"page": True, "docs": False}
        expect(seen.page.get_by_role("link", name="API")).to_have_count(0)
        assert httpx.get(f"{bare.url}/docs").status_code == 404
