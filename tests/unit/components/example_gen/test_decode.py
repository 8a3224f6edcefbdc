"""A picture is whole, JPEG or PNG, and of a size that can be decoded; anything else is said in a few words."""

from __future__ import annotations

import io
import zlib

import pytest
from PIL import Image

from components.example_gen.decode import MOST_PIXELS, fault
from tests.fakes.photos import picture


def encoded(mode, kind, **how):
    file = io.BytesIO()
    Image.new(mode, (9, 7)).save(file, kind, **how)
    return file.getvalue()


def png_of(width, height):
    """A PNG that says that it is so large."""
    head = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + head + zlib.crc32(head).to_bytes(4, "big") + picture(1, "PNG")[33:]


def animated():
    file = io.BytesIO()
    first, *more = [Image.new("RGB", (9, 7), (shade, 0, 0)) for shade in (0, 90, 180)]
    first.save(file, "PNG", save_all=True, append_images=more)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        picture(1),
        picture(1, "PNG"),
        picture(1, size=(1, 1)),
        picture(1) + b"something behind it",
        encoded("L", "JPEG"),
        encoded("CMYK", "JPEG"),
        encoded("RGB", "JPEG", progressive=True),
        encoded("RGBA", "PNG"),
        encoded("P", "PNG"),
        encoded("1", "PNG"),
        encoded("I;16", "PNG"),
        picture(1, "PNG") + b"something behind it",
        animated(),
    ],
)
def test_a_picture_has_no_fault(content):
    assert fault(content) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "zero bytes"),
        (b"\0" * 100, "neither JPEG nor PNG"),
        (b"<html>404</html>", "neither JPEG nor PNG"),
        (encoded("RGB", "GIF"), "neither JPEG nor PNG"),
        (encoded("RGB", "WEBP"), "neither JPEG nor PNG"),
        (picture(1)[:-40], "cannot be decoded: "),
        (picture(1)[:20], "cannot be decoded: "),
        (picture(1, "PNG")[:-30], "cannot be decoded: "),
        (b"\xff\xd8\xff", "cannot be decoded: "),
        (b"\x89PNG\r\n\x1a\n", "cannot be decoded: "),
        (picture(1, "PNG").replace(b"IDAT", b"IDAX"), "cannot be decoded: "),
        (png_of(MOST_PIXELS, 2), f"{MOST_PIXELS} x 2 pixels, more than 120,000,000"),
    ],
)
def test_a_broken_one_is_told_in_a_line(content, told):
    found = fault(content)
    assert found is not None
    assert found.startswith(told)
    assert "\n" not in found


def test_what_is_cut_at_any_place_is_found():
    for kind, rest in (("JPEG", 20), ("PNG", 0)):
        whole = picture(5, kind, size=(64, 64))
        # A JPEG's last two bytes only say that it ends.
        assert [cut for cut in range(0, len(whole) - rest, 7) if fault(whole[:cut]) is None] == []
        assert fault(whole) is None


def test_a_png_with_a_wrong_bit_anywhere_is_found():
    # TensorFlow's decoder holds each checksum against its data, those of the pixels and of the end, too.
    whole = picture(5, "PNG", size=(64, 64))
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        found = fault(bytes(damaged))
        assert found is not None, place
        assert "\n" not in found
