"""Comparing where not everything is as asked: versions that are not served, sides that do not answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.page.browser import BROWN, Watched, choose, photo, press

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]


def test_a_version_of_the_address_that_is_not_served_is_told_and_nothing_takes_its_place(seen: Watched) -> None:
    page, sent = seen.page, list[str]()
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto("#/model/leaves/compare/9/2")
    told = page.get_by_role("alert").filter(has_text="Version 9 is not served")
    expect(told).to_contain_text("Served: version 2 (live), version 1.")
    expect(page.get_by_label("Second")).to_have_value("2")
    choose(page, photo())
    press(page, "Compare")
    expect(page.get_by_role("alert").filter(has_text="Choose a version first.")).to_be_visible()
    expect(page.get_by_label("First")).to_be_focused()
    assert sent == []
    assert page.url.endswith("#/model/leaves/compare/9/2")
    page.get_by_label("First").select_option("Version 1")
    expect(told).to_have_count(0)
    assert page.url.endswith("#/model/leaves/compare/1/2")
    press(page, "Compare")
    expect(page.locator(".verdict")).to_have_text("They disagree: version 1 says healthy, version 2 says cmd")


def test_a_version_that_is_not_served_is_told_where_one_is_asked_or_only_one_is_left(seen: Watched) -> None:
    page = seen.page
    page.goto("#/model/leaves/ask/9")
    expect(page.get_by_role("alert").filter(has_text="Version 9 is not served")).to_be_visible()
    page.get_by_label("Version").select_option("As traffic goes (newest)")
    expect(page.get_by_text("Version 9 is not served")).to_have_count(0)
    page.goto("#/model/sticks/compare/8/x")
    expect(page.get_by_text("Versions 8 and x are not served")).to_be_visible()
    expect(page.get_by_text("of sticks there is one: version 1")).to_be_visible()


def test_a_side_that_does_not_answer_leaves_the_other_and_is_asked_again_alone_about_the_same(seen: Watched) -> None:
    page, asked = seen.page, list[str]()
    seen.refusals.add(503)

    def turned_once(route: Route) -> None:
        asked.append(route.request.headers["x-model-version"])
        if asked.count("1") == 1 and asked[-1] == "1":
            route.fulfill(status=503, json={"error": "no room"}, headers={"retry-after": "1", "x-request-id": "r1"})
        else:
            route.continue_()

    page.route("**/predict/leaves/image", turned_once)
    page.goto("#/model/leaves/compare/2/1")
    choose(page, photo())
    press(page, "Compare")
    good, bad = page.get_by_role("region", name="Version 2"), page.get_by_role("region", name="Version 1")
    expect(good.locator(".answer .label").first).to_have_text("cmd")
    for text in ("Not available at the moment", "No room", "Try again in 1 s.", "Request r1"):
        expect(bad.get_by_role("alert")).to_contain_text(text)
    expect(page.get_by_role("status")).to_contain_text("leaf.jpg: cmd")
    press(page, "Remove leaf.jpg")
    choose(page, photo("other.jpg", BROWN))
    press(page, "Try again")
    expect(page.locator(".verdict")).to_have_text("They disagree: version 2 says cmd, version 1 says healthy")
    expect(page.locator(".comparison h3")).to_have_text("leaf.jpg")
    expect(page.get_by_role("button", name="Compare")).to_be_focused()
    assert sorted(asked) == ["1", "1", "2"]


def test_sides_that_fail_alike_are_told_once_and_others_each(seen: Watched) -> None:
    page, statuses = seen.page, {"1": 503, "2": 503}
    seen.refusals |= {429, 503}

    def turned(route: Route) -> None:
        status = statuses[route.request.headers["x-model-version"]]
        route.fulfill(status=status, json={"error": f"no room, says {status}"}, headers={"retry-after": "60"})

    page.route("**/predict/leaves/image", turned)
    page.goto("#/model/leaves/compare/2/1")
    choose(page, photo())
    press(page, "Compare")
    told = page.locator(".answers").get_by_role("alert")
    expect(told).to_have_count(1)
    statuses["1"] = 429
    press(page, "Compare")
    expect(told).to_have_count(2)
    expect(page.get_by_role("region", name="Version 1")).to_contain_text("No room, says 429")
    expect(page.get_by_role("region", name="Version 2")).to_contain_text("No room, says 503")
