"""Finding one's way on the page: what is live, what happened, what is down, who may ask, in any light, on any screen, without a mouse."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Route, expect

from serving.gateway.access import digest_of
from serving.launchers.readiness import wait_for
from tests.e2e.page.audit import faults, sticking_out
from tests.e2e.page.browser import Watched, choose, photo, press, watched
from tests.e2e.page.stage import LATE_REASON, NOBODY, REASON, SLICE_REASON, Stage, gateway, upstream, write_config

KEY = "sw_of-the-tests"
VIEWS = {
    "": ".model",
    "#/model/leaves": ".drop",
    "#/model/trips": ".fields",
    "#/model/leaves/compare": ".drop",
    "#/model/leaves/versions": ".rows",
    "#/model/leaves/history": ".event",
    "#/nowhere": "h1",
    "docs?model=leaves": ".line",
}

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]


def test_the_list_tells_what_is_live_with_its_metrics(seen: Watched) -> None:
    page = seen.page
    page.goto("")
    expect(page.locator(".model h2")).to_have_text(["leaves", "sticks", "tips", "trips"])
    tile = page.locator("[data-model=leaves]")
    for text in ("version 2 is live", "94.0 %", "0.155", "Version 2 published", "2 versions"):
        expect(tile).to_contain_text(text)


def test_a_refusal_tells_every_reason_with_its_numbers(seen: Watched) -> None:
    page = seen.page
    page.goto("#/model/leaves/history")
    entries = page.locator(".event")
    expect(entries.locator("h3")).to_have_text(
        [
            "Rolled back to version 1",
            "A candidate was refused by infra validator",
            "Version 2 was published",
            "A candidate was refused by evaluator",
            "Version 1 was published",
        ]
    )
    expect(entries.nth(1)).to_contain_text(LATE_REASON.message)
    for place, reason in enumerate((REASON, SLICE_REASON)):
        told = entries.nth(3).get_by_role("list", name="Reasons").get_by_role("listitem").nth(place)
        expect(told).to_contain_text(reason.message)
        expect(told.locator("dd")).to_have_text([str(reason.measured), str(reason.limit)])
    time = entries.nth(2).locator("time")
    assert (time.get_attribute("title") or "").endswith(" UTC")
    expect(entries.nth(0)).to_contain_text("too many complaints")


def test_a_server_that_is_down_shows_as_such_until_it_is_back(chromium: Browser, stage: Stage, tmp_path: Path) -> None:
    config = {"store": str(stage.store), "port": 0}
    with gateway(tmp_path, **config, **upstream(NOBODY)) as down, watched(chromium, down.url) as seen:
        page = seen.page
        page.goto("")
        tile = page.locator("[data-model=leaves]")
        expect(tile).to_contain_text("not available")
        expect(tile).to_contain_text("The model server default cannot be reached")
        page.goto("#/model/leaves")
        expect(page.get_by_role("alert").filter(has_text="This model cannot be asked now")).to_be_visible()
        page.get_by_role("link", name="History").click()
        expect(page.locator(".event")).to_have_count(5)
        page.get_by_role("link", name="Ask").click()
        write_config(down.config, {**config, **upstream(stage.grpc)})
        wait_for(
            lambda: 'reloads_total{result="ok"} 1.0' in httpx.get(f"{down.url}/metrics").text or None,
            lambda: None,
            what="followed",
            deadline_seconds=60,
        )
        press(page, "Try again")
        expect(page.get_by_role("button", name="Ask leaves")).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("Available again")


def test_versions_tell_their_state_and_how_traffic_is_shared_out(chromium: Browser, stage: Stage, tmp_path: Path) -> None:
    rules = {"arms": [{"version": 1, "weight": 9}, {"version": 2, "weight": 1}], "shadow": {"version": 2, "share": 1.0}}
    config = {"store": str(stage.store), "models": {"leaves": rules}, **upstream(stage.grpc)}
    with gateway(tmp_path, **config) as shared, watched(chromium, shared.url) as seen:
        page = seen.page
        page.goto("#/model/leaves/versions")
        expect(page.get_by_text("version 1: 90.0 %, version 2: 10.0 %")).to_be_visible()
        expect(page.get_by_text("Copies of 100.0 % go to version 2")).to_be_visible()
        expect(page.locator(".rows article").nth(0)).to_contain_text("live")
        expect(page.locator(".rows article").nth(1)).to_contain_text("serving")
        expect(page.locator(".rows article").nth(0)).to_contain_text("judged against version 1")


def test_a_key_is_asked_for_kept_in_the_tab_and_forgotten(chromium: Browser, stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text(f"tests: '{digest_of(KEY)}'\n", encoding="utf-8")
    config = {"store": str(stage.store), "keys": {"file": str(tmp_path / "keys.yaml")}, **upstream(stage.grpc)}
    with gateway(tmp_path, **config) as guarded, watched(chromium, guarded.url) as seen:
        page = seen.page
        seen.refusals.add(401)
        page.goto("#/model/leaves/history")
        dialog = page.get_by_role("dialog", name="This gateway asks for a key")
        field = dialog.get_by_label("API key or token")
        expect(field).to_be_focused()
        expect(field).to_have_attribute("type", "password")
        field.fill("guessed")
        page.keyboard.press("Enter")
        expect(dialog).to_contain_text("Not let in: the key is not known.")
        field.fill("schlüssel")
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("alert")).to_have_text("A key has only letters, digits and signs of plain ASCII; this one has others.")
        expect(field).to_be_focused()
        assert page.evaluate("sessionStorage.getItem('sluiceway-key')") == "guessed"
        field.fill(KEY)
        press(page, "Use this key")
        expect(page.locator(".event")).to_have_count(5)
        page.reload()
        expect(page.locator(".event")).to_have_count(5)
        assert page.evaluate("[JSON.stringify(localStorage), document.cookie, sessionStorage.length]") == ["{}", "", 1]
        press(page, "Forget key")
        assert page.evaluate("sessionStorage.length") == 0
        page.get_by_role("link", name="Models").click()
        expect(dialog).to_be_visible()
        press(page, "Not now")
        expect(page.get_by_role("alert").filter(has_text="Not let in")).to_be_visible()


@pytest.mark.parametrize(("status", "head"), [(429, "Too many requests"), (503, "Not available at the moment")])
def test_who_is_turned_away_is_told_when_to_come_back(seen: Watched, status: int, head: str) -> None:
    page, turned = seen.page, list[int]()
    seen.refusals.add(status)

    def once(route: Route) -> None:
        turned.append(status)
        if len(turned) > 1:
            route.continue_()
        else:
            route.fulfill(status=status, json={"error": "no room"}, headers={"retry-after": "1", "x-request-id": "r1"})

    page.route("**/predict/leaves/image", once)
    page.goto("#/model/leaves")
    choose(page, photo())
    press(page, "Ask leaves")
    told = page.get_by_role("alert").filter(has_text=head)
    for text in ("No room", "Try again in 1 s.", "Request r1"):
        expect(told).to_contain_text(text)
    expect(told.get_by_role("button")).to_have_text("Try again")
    press(page, "Try again")
    expect(page.locator(".answer")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_can_be_read_in_light_and_dark(chromium: Browser, stage: Stage, scheme: str) -> None:
    with watched(chromium, stage.gateway.url, color_scheme=scheme) as seen:
        page = seen.page
        for view, shows in VIEWS.items():
            page.goto(view)
            expect(page.locator(shows).first).to_be_visible()
            assert (view, faults(page)) == (view, [])
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        assert (max(ground) < 64) is (scheme == "dark")
        page.goto("#/model/leaves/compare")
        choose(page, photo())
        press(page, "Compare")
        expect(page.locator(".comparison")).to_be_visible()
        assert faults(page) == []


def test_nothing_sticks_out_of_a_phone(chromium: Browser, stage: Stage) -> None:
    with watched(chromium, stage.gateway.url, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True) as seen:
        page = seen.page
        for view, shows in VIEWS.items():
            page.goto(view)
            expect(page.locator(shows).first).to_be_visible()
            assert (view, sticking_out(page)) == (view, [])
        page.goto("#/model/leaves/compare")
        expect(page.get_by_text("Take a photo")).to_be_visible()
        choose(page, photo("a photo with a name that is very long and_has_no_place_to_break_at_all_but_must_fit.jpg"))
        press(page, "Compare")
        expect(page.locator(".comparison")).to_be_visible()
        assert sticking_out(page) == []


def test_a_leaf_is_classified_with_the_keyboard_alone(seen: Watched) -> None:
    page = seen.page

    def tab_to(name: str) -> None:
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("(name) => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim() === name", name):
                shown = page.evaluate("getComputedStyle(document.activeElement.closest('label') ?? document.activeElement).outlineStyle")
                assert (name, shown) == (name, "solid")
                return
        raise AssertionError(f"no way to {name}")

    # Who listens from the start gets the dialog for certain: Playwright takes a moment to step in between.
    page.on("filechooser", lambda _: None)
    page.goto("")
    expect(page.locator(".model")).to_have_count(4)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to("leaves")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.locator(".drop")).to_be_visible()
    tab_to("Choose images")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([photo()])
    expect(page.locator(".chosen li")).to_have_count(1)
    tab_to("Ask leaves")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("leaf.jpg: cmd")


def test_addresses_lead_back_and_forth_and_name_the_page(seen: Watched) -> None:
    page = seen.page
    page.goto("#/model/leaves/history")
    expect(page).to_have_title("History – leaves – Sluiceway")
    page.get_by_role("link", name="Versions").click()
    expect(page).to_have_title("Versions – leaves – Sluiceway")
    expect(page.get_by_role("link", name="Versions")).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page.locator(".event")).to_have_count(5)
    page.goto("#/model/no%20such%2Fmodel")
    seen.refusals.add(404)
    expect(page.get_by_role("alert").filter(has_text="Not found")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("no such/model")
