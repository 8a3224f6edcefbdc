"""Classes that an answer does not name: a probability is never shown as that of a label it may not belong to."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.e2e.page.browser import Watched, choose, photo, press

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]


def fill_in(page: Page, fare: str) -> None:
    page.get_by_label("fare").fill(fare)
    page.get_by_label("place").fill("1, 2")


def test_both_of_two_classes_come_from_classify_on_the_same_version(seen: Watched) -> None:
    page, sent = seen.page, list[Request]()
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    page.goto("#/model/tips")
    fill_in(page, "-14")
    page.get_by_label("Version").select_option("Version 1")
    press(page, "Ask tips")
    expect(page.locator(".answer .label")).to_have_text(["small_tip", "big_tip"])
    expect(page.locator(".answer .figure")).to_have_text(["98.2 %", "1.8 %"])
    expect(page.get_by_role("status")).to_have_text("Answer: small_tip, 98.2 %")
    expect(page.get_by_role("row")).to_have_count(1)  # what is no class
    assert [request.headers["x-model-version"] for request in sent] == ["1", "1"]
    assert sent[1].post_data == '{"signature_name": "classify", "examples": [{"fare": -14.0, "place": [1.0, 2.0]}]}'


def test_both_of_two_classes_are_compared(seen: Watched) -> None:
    page = seen.page
    page.goto("#/model/tips/compare/1/2")
    fill_in(page, "8")
    press(page, "Compare")
    expect(page.locator(".verdict")).to_have_text("They disagree: version 1 says small_tip, version 2 says big_tip")
    rows = page.locator(".compared tbody tr")
    expect(rows.get_by_role("rowheader")).to_have_text(["small tip", "big tip", "place seen"])
    expect(rows.nth(0).locator(".figure").first).to_have_text("58.3 %")


def test_a_label_that_is_not_the_likeliest_class_is_said_beside_them(seen: Watched) -> None:
    page = seen.page
    answer = {"predictions": [{"label": "big_tip", "probability": 0.4}]}
    page.route("**/v1/models/tips:predict", lambda route: route.fulfill(json=answer, headers={"x-model-version": "1"}))
    page.goto("#/model/tips")
    fill_in(page, "8")
    press(page, "Ask tips")
    expect(page.locator(".answer .label").first).to_have_text("small_tip")
    expect(page.get_by_role("row", name="label")).to_contain_text("big_tip")
    expect(page.get_by_role("status")).to_contain_text("Answer: label big_tip")


def test_of_an_image_too_a_probability_is_no_bar_of_the_label(seen: Watched) -> None:
    page = seen.page

    def answered(route: Route) -> None:
        route.fulfill(json={"predictions": [{"file": "leaf.jpg", "label": "ill", "probability": 0.0004}]})

    page.route("**/predict/leaves/image", answered)
    page.goto("#/model/leaves")
    choose(page, photo())
    press(page, "Ask leaves")
    expect(page.get_by_role("row", name="label")).to_contain_text("ill")
    expect(page.get_by_role("row", name="probability")).to_contain_text("0.0004")
    expect(page.locator(".answer .bars")).to_have_count(0)
    page.get_by_role("link", name="Compare").click()
    press(page, "Compare")
    expect(page.locator(".verdict")).to_have_text("Both say ill")
    expect(page.locator(".compared .bar")).to_have_count(0)
