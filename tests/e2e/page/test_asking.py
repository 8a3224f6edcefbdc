"""Asking and comparing on the page, in a real browser, with a gateway, a model server and a version store behind it."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.sync_api import Page, Request, expect

from tests.e2e.page import saved_models
from tests.e2e.page.browser import BROWN, Watched, choose, photo, press
from tests.fakes.photos import picture

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]


def bars(page: Page, number: int = 0) -> list[tuple[str, str]]:
    """The classes of an answer as they are read: (label, percentage)."""
    rows = page.locator(".answer").nth(number).locator(".bars li")
    expect(rows).to_have_count(len(saved_models.KINDS))
    return [(row.locator(".label").inner_text(), row.locator(".figure").inner_text()) for row in rows.all()]


def test_an_uploaded_jpeg_is_answered_with_its_classes(seen: Watched) -> None:
    page = seen.page
    page.goto("#/model/leaves")
    choose(page, photo())
    press(page, "Ask leaves")
    found = bars(page)
    expect(page.locator(".answer")).to_contain_text("Version 2 answered · request")
    assert [label for label, _ in found] == ["cmd", "healthy", "cbsd"]
    assert sum(float(figure.removesuffix(" %")) for _, figure in found) == pytest.approx(100, abs=0.2)
    widths = page.locator(".answer .fill").evaluate_all("fills => fills.map((fill) => parseFloat(fill.style.inlineSize))")
    assert widths == pytest.approx([float(figure.removesuffix(" %")) for _, figure in found], abs=0.06)
    expect(page.get_by_role("status")).to_have_text(f"leaf.jpg: cmd, {found[0][1]}")


def test_several_images_are_answered_in_one_request_and_by_the_version_that_was_chosen(seen: Watched) -> None:
    page, sent = seen.page, list[Request]()
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    page.goto("#/model/leaves")
    choose(page, photo("green.jpg"), photo("brown.jpg", BROWN))
    page.get_by_label("Version").select_option("Version 1")
    press(page, "Ask leaves")
    assert [bars(page, number)[0][0] for number in (0, 1)] == ["healthy", "cbsd"]
    expect(page.locator(".answer").nth(1)).to_contain_text("Version 1 answered")
    assert len(sent) == 1


def test_a_dropped_image_is_taken_and_a_dropped_text_is_not(seen: Watched) -> None:
    page = seen.page
    page.goto("#/model/leaves")
    given = page.evaluate_handle(
        """(bytes) => {
          const held = new DataTransfer();
          held.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", { type: "image/jpeg" }));
          held.items.add(new File(["text"], "notes.txt", { type: "text/plain" }));
          return held;
        }""",
        list(picture(1)),
    )
    page.locator(".drop").dispatch_event("drop", {"dataTransfer": given})
    expect(page.get_by_role("list", name="Chosen images")).to_contain_text("dropped.jpg")
    expect(page.get_by_role("alert").filter(has_text="notes.txt is neither JPEG nor PNG.")).to_be_visible()
    assert seen.page.url.endswith("#/model/leaves")


def test_a_file_that_is_no_image_is_marked_and_its_name_is_only_text(seen: Watched) -> None:
    page, name = seen.page, "<img src=x onerror=alert(1)>.jpg"
    seen.refusals.add(422)
    page.goto("#/model/leaves")
    choose(page, photo(), {"name": name, "mimeType": "image/jpeg", "buffer": b"no image"})
    press(page, "Ask leaves")
    expect(page.locator(".chosen .wrong")).to_contain_text(f"{name} is neither JPEG nor PNG")
    expect(page.get_by_role("button", name=f"Remove {name}")).to_be_focused()
    page.keyboard.press("Enter")
    press(page, "Ask leaves")
    expect(page.locator(".answer")).to_have_count(1)


def test_a_photo_that_was_turned_is_sent_upright(seen: Watched) -> None:
    page, sent = seen.page, list[bytes]()
    exif = Image.Exif()
    exif[0x0112] = 6
    page.route("**/predict/leaves/image", lambda route: (sent.append(route.request.post_data_buffer or b""), route.continue_()))
    page.goto("#/model/leaves")
    choose(page, photo(exif=exif))
    expect(page.get_by_role("list", name="Chosen images")).to_contain_text("turned upright")
    press(page, "Ask leaves")
    bars(page)
    part = sent[0][sent[0].index(b"\xff\xd8") :]
    with Image.open(io.BytesIO(part)) as found:
        assert (found.size, dict(found.getexif())) == ((40, 80), {})


def test_what_a_phone_noted_beside_the_pixels_is_not_sent(seen: Watched) -> None:
    page, sent = seen.page, list[bytes]()
    exif = Image.Exif()
    exif[0x0112] = 1
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0)}
    plain, noted = photo(), photo(exif=exif, xmp=b"<x:xmpmeta>48.137</x:xmpmeta>", comment=b"kept")
    page.route("**/predict/leaves/image", lambda route: (sent.append(route.request.post_data_buffer or b""), route.continue_()))
    page.goto("#/model/leaves")
    choose(page, noted, photo("plain.jpg"))
    press(page, "Ask leaves")
    bars(page)
    assert b"Exif" in noted["buffer"]
    assert b"xmpmeta" in noted["buffer"]
    assert b"Exif" not in sent[0]
    assert b"xmpmeta" not in sent[0]
    first, second = (part.partition(b"\r\n\r\n")[2] for part in sent[0].split(b"\r\n--")[:2])
    with Image.open(io.BytesIO(first)) as found:
        assert (found.info["comment"], dict(found.getexif())) == (b"kept", {})
    # From the tables of the pixels on, byte by byte.
    tables = b"\xff\xdb"
    assert first[first.index(tables) :] == noted["buffer"][noted["buffer"].index(tables) :]
    assert second == plain["buffer"]


def test_two_versions_are_compared_on_the_same_image(seen: Watched) -> None:
    page = seen.page
    page.goto("#/model/leaves")
    choose(page, photo())
    page.get_by_role("link", name="Compare").click()
    press(page, "Compare")
    expect(page.locator(".verdict")).to_have_text("They disagree: version 2 says cmd, version 1 says healthy")
    rows = page.get_by_role("table", name="leaf.jpg: version 2 and version 1").get_by_role("row")
    assert [row.get_by_role("rowheader").inner_text() for row in rows.all()[1:]] == ["cmd", "healthy", "cbsd"]
    expect(rows.nth(2)).to_have_class("differs")
    left, right = (float(text.removesuffix(" %")) for text in rows.nth(2).locator(".figure").all_inner_texts())
    change = float(rows.nth(2).locator(".change").inner_text().removesuffix(" points"))
    assert change == pytest.approx(right - left, abs=0.11)
    page.get_by_label("First").select_option("Version 1")
    press(page, "Compare")
    expect(page.locator(".verdict")).to_have_text("Both say healthy")
    expect(page.locator(".change strong")).to_have_count(0)
    assert page.url.endswith("#/model/leaves/compare/1/1")


def test_values_are_compared_too(seen: Watched) -> None:
    page = seen.page
    page.goto("#/model/trips/compare/1/2")
    page.get_by_label("fare").fill("8")
    page.get_by_label("speeds").fill("1, 2, 3")
    press(page, "Compare")
    expect(page.locator(".verdict")).to_have_text("They disagree: version 1 says small_tip, version 2 says big_tip")
    expect(page.get_by_role("row", name="fare seen")).to_contain_text("same")


def test_a_value_that_does_not_fit_is_told_at_its_field(seen: Watched) -> None:
    page = seen.page
    seen.refusals.add(422)
    page.goto("#/model/trips")
    page.get_by_label("speeds").fill("1 2")
    page.get_by_label("trip start hour").fill("half past")
    press(page, "Ask trips")
    hour = page.get_by_label("trip start hour")
    expect(hour).to_have_attribute("aria-invalid", "true")
    expect(hour).to_have_accessible_description('whole number "half past" does not fit; the model takes whole numbers')
    expect(page.get_by_label("speeds")).to_have_accessible_description("numbers, 3 has the shape [2]; the model takes [3]")
    expect(page.get_by_label("speeds")).to_be_focused()
    expect(page.get_by_label("fare")).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("fare").fill("1e999")
    press(page, "Ask trips")
    expect(page.get_by_label("fare")).to_have_accessible_description('number "1e999" does not fit; the model takes numbers')
    expect(hour).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".answer")).to_have_count(0)


def test_a_row_is_answered_and_what_is_left_empty_is_unknown(seen: Watched) -> None:
    page, sent = seen.page, list[str]()
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    page.goto("#/model/trips")
    page.get_by_label("speeds").fill("[1, 2.5e1\n-3]")
    page.get_by_label("shared").check()
    press(page, "Ask trips")
    expect(page.get_by_role("row", name="fare seen")).to_contain_text("NaN")
    expect(page.get_by_role("row", name="known fare")).to_contain_text("false")
    row = '{"fare": NaN, "payment_type": "", "shared": true, "speeds": [1, 2.5e1, -3], "trip_start_hour": -1}'
    assert sent == ['{"signature_name": "predict", "instances": [' + row + "]}"]
    page.get_by_label("fare").fill("30")
    press(page, "Ask trips")
    expect(page.get_by_role("row", name="fare seen")).to_contain_text("30")
    expect(page.get_by_role("row", name="label")).to_contain_text("big_tip")
    # Whose probability it is, only the model knows.
    expect(page.get_by_role("row", name="probability")).to_be_visible()
    expect(page.locator(".answer .bars")).to_have_count(0)


def test_probabilities_get_their_names_from_classify(seen: Watched) -> None:
    page = seen.page
    page.goto("#/model/sticks")
    page.get_by_label("length").fill("5")
    press(page, "Ask sticks")
    assert [label for label, _ in bars(page)] == ["good", "poor", "fair"]
    expect(page.get_by_role("row", name="hand seen")).to_contain_text("-1")
    expect(page.get_by_role("row")).to_have_count(1)


def test_what_classify_cannot_say_is_left_to_predict(seen: Watched) -> None:
    page = seen.page
    seen.refusals |= {400}
    page.goto("#/model/sticks")
    press(page, "Ask sticks")  # without a length, which classify wants
    expect(page.get_by_role("row", name="probabilities")).to_contain_text("NaN")


def test_comparing_takes_two_versions_and_says_so(seen: Watched) -> None:
    seen.page.goto("#/model/sticks/compare")
    expect(seen.page.get_by_text("of sticks there is one: version 1")).to_be_visible()
    expect(seen.page.get_by_role("button", name="Compare")).to_have_count(0)
