"""Values to begin with: the examples that a gateway gives, on the form and in the lines of the API's description."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Request, Route, expect

from tests.e2e.page.browser import Watched, choose, photo, press
from tests.e2e.page.stage import Stage
from tests.e2e.page.test_freshness import altered

TRIP = {"fare": 12.0, "payment_type": "Cash", "shared": True, "speeds": [1.5, 2, "NaN"], "trip_start_hour": 19}
UNKNOWN = {"fare": "NaN", "payment_type": "", "shared": False, "speeds": [0, 0, 0], "trip_start_hour": -1}

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]


def examples(*rows: dict[str, Any]) -> Callable[[Any], None]:
    """Put these into a model's form."""
    return lambda content: content["form"].update(examples=list(rows))


def encoded(**save: Any) -> dict[str, str]:
    return {"b64": base64.b64encode(photo(**save)["buffer"]).decode()}


def test_an_example_fills_the_form(seen: Watched) -> None:
    page, sent = seen.page, list[Request]()
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    altered(page, "**/models/trips", examples(TRIP, UNKNOWN))
    page.goto("#/model/trips")
    press(page, "Example 1")
    expect(page.get_by_role("status")).to_have_text("The values of example 1 are filled in")
    expect(page.get_by_label("fare")).to_have_value("12")
    expect(page.get_by_label("payment type")).to_have_value("Cash")
    expect(page.get_by_label("shared")).to_be_checked()
    press(page, "Ask trips")
    expect(page.get_by_role("row", name="fare seen")).to_contain_text("12")
    row = '{"fare": 12, "payment_type": "Cash", "shared": true, "speeds": [1.5, 2, NaN], "trip_start_hour": 19}'
    assert sent[0].post_data == '{"signature_name": "predict", "instances": [' + row + "]}"
    press(page, "Example 2")
    for empty in ("fare", "payment type", "trip start hour"):
        expect(page.get_by_label(empty)).to_have_value("")
    expect(page.get_by_label("shared")).not_to_be_checked()


def test_an_example_image_is_one_of_the_chosen_and_keeps_its_place_from_tab_to_tab(seen: Watched) -> None:
    page = seen.page
    altered(page, "**/models/leaves", examples({"image": encoded()}))
    page.goto("#/model/leaves")
    press(page, "Example 1")
    expect(page.get_by_role("list", name="Chosen images")).to_contain_text("example-1.jpg")
    press(page, "Ask leaves")
    expect(page.get_by_role("status")).to_contain_text("example-1.jpg: cmd")
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("button", name="Example 1")).to_be_visible()
    press(page, "Compare")
    expect(page.locator(".comparison h3")).to_have_text("example-1.jpg")


def test_without_examples_there_is_nothing_of_them(seen: Watched) -> None:
    seen.page.goto("#/model/trips")
    expect(seen.page.locator(".fields")).to_be_visible()
    expect(seen.page.get_by_role("button", name=re.compile("Example"))).to_have_count(0)


def bodies(seen: Watched, call: str) -> list[str]:
    """The bodies that the lines of a call send."""
    lines = seen.page.locator("article").filter(has=seen.page.get_by_role("heading", name=call, exact=True)).locator(".line code")
    return [words[words.index("-d") + 1] for words in map(shlex.split, lines.all_inner_texts())]


def test_the_lines_of_a_model_hold_its_own_columns_and_work(seen: Watched, stage: Stage) -> None:
    page, predict = seen.page, "POST /v1/models/{model}:predict"
    page.goto("docs?model=trips")
    expect(page.locator(".line", has_text="payment_type").first).to_be_visible()
    rows, columns = (json.loads(body) for body in bodies(seen, predict))
    neutral = {"fare": 0.0, "payment_type": "", "shared": False, "speeds": [0.0, 0.0, 0.0], "trip_start_hour": 0}
    assert rows == {"signature_name": "predict", "instances": [neutral]}
    assert columns == {"signature_name": "predict", "inputs": {name: [value] for name, value in neutral.items()}}
    altered(page, "**/models/trips", examples(TRIP))
    page.reload()
    expect(page.locator(".line", has_text="Cash").first).to_be_visible()
    for body in bodies(seen, predict):
        assert "NaN" in body
        answer = httpx.post(f"{stage.gateway.url}/v1/models/trips:predict", content=body)
        assert (body, answer.status_code) == (body, 200)


def test_what_would_bury_a_line_is_left_out_of_it(seen: Watched) -> None:
    page, image = seen.page, {"b64": "/9j/" + "A" * 9000}

    def many(content: Any) -> None:
        numbers = next(field for field in content["form"]["fields"] if field["kind"] == "numbers")
        numbers["shape"] = [300, 3]

    altered(page, "**/models/leaves", examples({"image": image}))
    page.goto("docs?model=leaves")
    expect(page.locator(".line", has_text='"image": {"b64": "\'"$(base64 < leaf.jpg)"\'"}').first).to_be_visible()
    altered(page, "**/models/trips", many)
    page.goto("docs?model=trips")
    expect(page.locator(".line", has_text='"speeds": [...]').first).to_be_visible()


def test_the_lines_follow_the_model_that_is_named(seen: Watched, stage: Stage) -> None:
    page = seen.page
    page.goto("docs")
    field = page.get_by_label("Show the lines for the model")
    field.fill("sticks")
    field.blur()
    expect(page.locator(".line", has_text='"length": 0.0').first).to_be_visible()
    (classify,) = bodies(seen, "POST /v1/models/{model}:classify")
    assert classify == '{"signature_name": "classify", "examples": [{"hand": 0, "length": 0.0}]}'
    assert httpx.post(f"{stage.gateway.url}/v1/models/sticks:classify", content=classify).status_code == 200
    field.fill("leaves")
    field.blur()
    expect(page.locator(".line", has_text='"image": ').first).to_be_visible()
    for others in ("length", "RM", "fare"):
        expect(page.locator(".line", has_text=f'"{others}"')).to_have_count(0)


def test_an_example_beside_an_image_of_ones_own(seen: Watched) -> None:
    page = seen.page
    altered(page, "**/models/leaves", examples({"image": encoded(colour=(115, 62, 25))}))
    page.goto("#/model/leaves")
    choose(page, photo())
    press(page, "Example 1")
    press(page, "Ask leaves")
    expect(page.locator(".answer h3")).to_have_text(["leaf.jpg", "example-1.jpg"])


def test_an_image_among_columns_takes_an_example_and_is_sent_without_its_notes(seen: Watched) -> None:
    page, sent = seen.page, list[dict[str, Any]]()
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 14.0)}

    def with_photo(content: Any) -> None:
        content["form"]["fields"].append({"name": "photo", "kind": "image", "missing": "", "shape": []})
        content["form"]["examples"] = [{**TRIP, "photo": encoded(exif=exif)}]

    def answered(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or ""))
        route.fulfill(json={"predictions": [{"label": "big_tip"}]})

    altered(page, "**/models/trips", with_photo)
    page.route("**/v1/models/trips:predict", answered)
    page.goto("#/model/trips")
    press(page, "Example 1")
    assert page.get_by_label("photo").evaluate("(field) => field.files[0].name") == "example-1.jpg"
    press(page, "Ask trips")
    expect(page.get_by_role("row", name="label")).to_contain_text("big_tip")
    assert base64.b64decode(sent[0]["instances"][0]["photo"]["b64"]) == photo()["buffer"]
