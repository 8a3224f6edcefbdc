"""The description of the API, and what is served with the page."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Error, Locator, Page, expect

from serving.gateway.access import digest_of
from tests.e2e.page.browser import Watched, photo, watched
from tests.e2e.page.stage import NOBODY, Stage, gateway, upstream

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]


def test_every_call_is_described_with_a_line_that_works(seen: Watched, stage: Stage) -> None:
    page = seen.page
    page.goto("docs?model=leaves")
    expect(page.locator(".line").first).to_be_visible()
    calls = page.locator("article h3").all_inner_texts()
    for path in ("POST /v1/models/{model}:predict", "POST /predict/{model}/image", "GET /models/{model}/history", "GET /readyz"):
        assert path.split() in [call.split() for call in calls]
    lines = {text.rpartition("/")[2]: text for text in page.locator(".line code").all_inner_texts()}
    assert lines["image"] == f"curl -F file=@leaf.jpg {stage.gateway.url}/predict/leaves/image"
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


def call(page: Page, name: str) -> Locator:
    """A call's part of the page."""
    return page.locator("article").filter(has=page.get_by_role("heading", name=name, exact=True))


def test_lines_that_a_model_cannot_answer_are_left_out(seen: Watched) -> None:
    page, upload = seen.page, "POST /predict/{model}/image"
    page.goto("docs?model=trips")
    expect(call(page, upload)).to_contain_text("trips takes no image.")
    expect(call(page, upload).locator(".line")).to_be_hidden()
    for verb in ("classify", "regress"):
        part = call(page, f"POST /v1/models/{{model}}:{verb}")
        expect(part).to_contain_text(f"trips has no signature for {verb}.")
        expect(part.locator("pre").locator("visible=true")).to_have_count(0)
    predict = call(page, "POST /v1/models/{model}:predict")
    expect(predict.locator(".line").locator("visible=true")).to_have_count(2)
    expect(predict.get_by_text("Image files are easier sent")).to_be_hidden()
    page.goto("docs?model=leaves")
    expect(predict.get_by_text("Image files are easier sent")).to_be_visible()
    for name in (upload, "POST /v1/models/{model}:classify"):
        expect(call(page, name).locator(".line")).to_be_visible()
    page.route("**/models/leaves", lambda route: route.fulfill(json={"model": "leaves", "live": None, "versions": [], "problem": "down"}))
    page.reload()
    expect(call(page, "POST /v1/models/{model}:regress").locator(".line")).to_be_visible()


def test_a_model_that_is_not_there_has_no_columns(seen: Watched) -> None:
    page = seen.page
    seen.refusals.add(404)
    page.goto("docs?model=nope")
    expect(page.get_by_role("alert").filter(has_text="There is no model nope here.")).to_be_visible()
    expect(page.locator(".line", has_text="fare").locator("visible=true")).to_have_count(0)
    expect(call(page, "GET /models/{model}").locator(".line")).to_be_visible()
    field = page.get_by_label("Show the lines for the model")
    field.fill("trips")
    field.blur()
    expect(page.locator(".line", has_text='"speeds"').first).to_be_visible()
    expect(page.get_by_text("There is no model")).to_have_count(0)


def test_an_image_gets_into_a_line_of_json_by_the_shell(seen: Watched, tmp_path: Path) -> None:
    page = seen.page
    page.goto("docs?model=leaves")
    line = page.locator(".line code", has_text='"instances": [{"image"')
    expect(line).to_contain_text("$(base64 < leaf.jpg)")
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("the lines are for curl, which is not here (Debian: apt-get install curl)")
    # More than one argument holds.
    (tmp_path / "leaf.jpg").write_bytes(photo()["buffer"] + bytes(200_000))
    command = ["sh", "-c", f"{line.inner_text()} -sf --noproxy '*'"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True, cwd=tmp_path)
    assert '"cmd"' in ended.stdout


def test_lines_have_a_place_for_the_key_where_one_is_wanted(chromium: Browser, stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text(f"tests: '{digest_of('sw_secret')}'\n", encoding="utf-8")
    config = {"keys": {"file": str(tmp_path / "keys.yaml")}, **upstream(stage.grpc)}
    with gateway(tmp_path, **config) as guarded, watched(chromium, guarded.url) as seen:
        page = seen.page
        seen.refusals.add(401)
        asked = call(page, "GET /models/{model}").locator(".line code")
        for address in ("docs", "docs?model=leaves"):
            page.goto(address)
            expect(asked).to_contain_text("-H 'x-api-key: YOUR_KEY'")
        expect(call(page, "GET /readyz").locator(".line code")).not_to_contain_text("x-api-key")
        page.evaluate("sessionStorage.setItem('sluiceway-key', 'sw_secret')")
        page.reload()
        expect(page.locator(".line", has_text='"image"').first).to_contain_text("YOUR_KEY")
        assert "sw_secret" not in page.content()


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
