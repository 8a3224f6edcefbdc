"""What is shown stays true while it is looked at, and says so quietly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.page.browser import Watched, choose, photo, press

GONE = "the version store /srv/store is not there"
PERIOD_MS = 16_000
HIDE = """Object.defineProperty(document, "visibilityState", { get: () => window.seen ?? "visible" })"""

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]


def altered(page: Page, path: str, change: Callable[[Any], None]) -> list[int]:
    """Change what the gateway answers at a path from now on. Gives a list that grows with each answer."""
    answers = list[int]()

    def fulfil(route: Route) -> None:
        answer = route.fetch()
        content = answer.json()
        change(content)
        answers.append(answer.status)
        route.fulfill(response=answer, json=content)

    page.unroute(path)
    page.route(path, fulfil)
    return answers


def live(version: int) -> Callable[[Any], None]:
    """Say that this version of leaves is live, with metrics of its own."""

    def change(content: Any) -> None:
        model = next(model for model in content.get("models", [content]) if model["model"] == "leaves")
        model["live"] = version
        model["versions"][0] |= {"version": version, "metrics": {"accuracy": 0.5}}

    return change


def accuracy(value: float) -> Callable[[Any], None]:
    """Say that the newest version of leaves has this accuracy."""

    def change(content: Any) -> None:
        content["models"][0]["versions"][0]["metrics"] = {"accuracy": value}

    return change


def test_what_was_said_of_one_view_is_gone_in_the_next(seen: Watched) -> None:
    page = seen.page
    page.goto("#/model/leaves")
    choose(page, photo())
    press(page, "Ask leaves")
    expect(page.get_by_role("status")).to_contain_text("leaf.jpg: cmd")
    page.get_by_role("link", name="Versions").click()
    expect(page.locator(".rows article").first).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("")


def test_the_list_follows_in_place_and_tells_only_what_matters(seen: Watched) -> None:
    page = seen.page
    page.clock.install()
    page.goto("")
    link = page.get_by_role("link", name="leaves")
    link.focus()
    other = page.locator("[data-model=trips]").element_handle()
    altered(page, "**/models", accuracy(0.51))
    page.clock.fast_forward(PERIOD_MS)
    expect(page.locator("[data-model=leaves]")).to_contain_text("51.0 %")
    expect(page.get_by_role("status")).to_have_text("")
    altered(page, "**/models", live(3))
    page.clock.fast_forward(PERIOD_MS)
    expect(page.locator("[data-model=leaves]")).to_contain_text("version 3 is live")
    expect(page.get_by_role("status")).to_have_text("leaves: version 3 is live")
    expect(link).to_be_focused()
    assert other is not None
    assert other.evaluate("(tile) => tile.isConnected")
    altered(page, "**/models", lambda content: content["models"].pop(0))
    page.clock.fast_forward(PERIOD_MS)
    expect(page.locator(".model h2")).to_have_text(["sticks", "tips", "trips"])


def test_nothing_is_asked_while_nobody_looks(seen: Watched) -> None:
    page = seen.page
    page.clock.install()
    page.add_init_script(HIDE)
    page.goto("")
    expect(page.locator(".model")).to_have_count(4)
    page.evaluate("window.seen = 'hidden'")
    answers = altered(page, "**/models", live(3))
    for _ in range(3):
        page.clock.fast_forward(PERIOD_MS)
    expect(page.locator("[data-model=leaves]")).to_contain_text("version 2 is live")
    assert answers == []
    page.evaluate("() => { window.seen = 'visible'; document.dispatchEvent(new Event('visibilitychange')); }")
    expect(page.locator("[data-model=leaves]")).to_contain_text("version 3 is live")
    assert answers == [200]


def test_what_cannot_be_refreshed_stays_and_says_since_when_and_no_key_is_asked_for(seen: Watched) -> None:
    page = seen.page
    seen.refusals.add(401)
    page.clock.install()
    page.goto("")
    expect(page.locator(".model")).to_have_count(4)
    page.route("**/models", lambda route: route.fulfill(status=401, json={"error": "not let in: no key"}))
    page.clock.fast_forward(PERIOD_MS)
    expect(page.get_by_text("Not refreshed since")).to_contain_text("Not let in: no key")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".model")).to_have_count(4)
    page.unroute("**/models")
    page.clock.fast_forward(PERIOD_MS)
    expect(page.get_by_text("Not refreshed since")).to_be_hidden()


def test_versions_and_history_follow_too(seen: Watched) -> None:
    page = seen.page
    page.clock.install()
    page.goto("#/model/leaves/versions")
    expect(page.locator(".rows article").first).to_contain_text("Version 2")
    altered(page, "**/models/leaves", live(3))
    page.clock.fast_forward(PERIOD_MS)
    expect(page.locator(".rows article").first).to_contain_text("Version 3")
    expect(page.get_by_role("status")).to_have_text("leaves: version 3 is live")
    page.get_by_role("link", name="History").click()
    expect(page.locator(".event")).to_have_count(5)
    altered(page, "**/models/leaves/history", lambda content: content["events"].pop())
    altered(page, "**/models/leaves", live(4))
    page.clock.fast_forward(PERIOD_MS)
    expect(page.locator(".event")).to_have_count(4)
    expect(page.get_by_text("version 4 is live").first).to_be_visible()


def test_arms_that_name_what_is_not_served_are_a_warning_and_not_an_outage(seen: Watched) -> None:
    page, problem = seen.page, "arm version 7 is not served; its users get 404"
    altered(page, "**/models/leaves", lambda content: content.update(problems=[problem]))
    for tab in ("", "/versions", "/history"):
        page.goto(f"#/model/leaves{tab}")
        expect(page.locator(".notice.warn")).to_contain_text("Arm version 7 is not served; its users get 404")
        expect(page.locator(".pill").first).to_have_text("version 2 is live")
    page.goto("#/model/trips")
    expect(page.locator(".fields")).to_be_visible()
    expect(page.locator(".notice.warn")).to_have_count(0)


def test_a_gateway_without_a_history_is_not_told_as_stale(seen: Watched) -> None:
    page, asked = seen.page, list[str]()
    seen.refusals.add(404)

    def nothing(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=404, json={"error": "this gateway has no version store"})

    page.clock.install()
    page.route("**/models/leaves/history", nothing)
    page.goto("#/model/leaves/history")
    expect(page.get_by_text("This gateway has no version store.")).to_be_visible()
    with page.expect_response("**/models/leaves/history"):
        page.clock.fast_forward(PERIOD_MS)
    altered(page, "**/models/leaves", live(3))
    page.clock.fast_forward(PERIOD_MS)
    expect(page.get_by_text("version 3 is live").first).to_be_visible()
    expect(page.get_by_text("Not refreshed since")).to_be_hidden()
    assert len(asked) >= 2


def test_a_version_store_that_is_gone_is_said_above_the_list_and_an_empty_list_does_not_say_otherwise(seen: Watched) -> None:
    page = seen.page
    told = page.get_by_role("alert").filter(has_text="The version store /srv/store is not there")
    altered(page, "**/models", lambda content: content.update(problem=GONE))
    page.goto("")
    expect(told).to_be_visible()
    expect(page.locator(".model")).to_have_count(4)
    altered(page, "**/models", lambda content: content.update(problem=GONE, models=[]))
    press(page, "Refresh")
    expect(page.get_by_label("Name of a model")).to_be_visible()
    expect(told).to_be_visible()
    expect(page.get_by_text("lists no model yet")).to_have_count(0)
    altered(page, "**/models", lambda content: content.update(models=[]))
    press(page, "Refresh")
    expect(told).to_have_count(0)
    expect(page.get_by_text("lists no model yet")).to_be_visible()
