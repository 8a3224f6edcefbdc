"""Uploads are known for what they are before anything decodes them: no bombs, no other formats, nothing too large."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from configs.gateway import Limits
from serving.gateway.checks import Unfit
from serving.gateway.images import Upload, best_classes, check_features, check_images, column_of, how_to_ask
from serving.protocol.signature import CLASSIFY_METHOD, PREDICT_METHOD, SignatureSpec, TensorSpec
from tests.fakes.photos import picture

LIMITS = Limits(image_mib=0.01, image_pixels=1000)


def png_head(width: int, height: int) -> bytes:
    """The beginning of a PNG that says it is so large, and a little of its data."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    chunks = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", head), (b"IDAT", data))
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def jpeg_head(width: int, height: int) -> bytes:
    """A JPEG whose head says it is so large."""
    content = bytearray(picture(1, "JPEG", (16, 16)))
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def of_kind(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, kind)
    return file.getvalue()


def fault(content: bytes, limits: Limits = LIMITS) -> str | None:
    try:
        check_images([Upload("a.jpg", content)], limits)
    except Unfit as error:
        (problem,) = error.problems
        assert problem.field == "file"
        return problem.problem
    return None


@pytest.mark.parametrize("content", [picture(3), picture(3, "PNG"), picture(3, "JPEG", (1000, 1)), of_kind("PNG")])
def test_pictures_are_taken(content):
    assert fault(content) is None


@pytest.mark.parametrize(
    ("content", "saying"),
    [
        (b"", "is empty"),
        (b"hello", "neither JPEG nor PNG"),
        (b"\xff\xd8\xff", "neither JPEG nor PNG"),
        (b"\x89PNG\r\n\x1a\n", "neither JPEG nor PNG"),
        (picture(1)[:20], "neither JPEG nor PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "neither JPEG nor PNG"),
        *((of_kind(kind), "neither JPEG nor PNG") for kind in ("GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO")),
        (bytes(11_000), "is larger than 0.01 MiB"),
        (picture(1, "JPEG", (100, 100)), "has 100 x 100 pixels, more than 1,000"),
        (png_head(60_000, 60_000), "pixels"),
        (png_head(2**31 - 1, 2**31 - 1), "pixels"),
        (jpeg_head(65_000, 65_000), "pixels"),
        (png_head(0, 0), "neither JPEG nor PNG"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:12]),
)
def test_anything_else_is_told(content, saying):
    assert saying in str(fault(content))


def test_of_a_png_no_more_than_its_first_chunk_is_read(monkeypatch):
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("a decoder inflates texts of a PNG before it tells its size")

    monkeypatch.setattr(Image, "open", opened)
    assert fault(picture(3, "PNG")) is None
    assert fault(png_head(40, 30)) == "has 40 x 30 pixels, more than 1,000"
    for broken in (png_head(3, 3)[:23], png_head(3, 3).replace(b"IHDR", b"IDAT"), png_head(3, 3).replace(b"\rIHDR", b"\x0eIHDR")):
        assert fault(broken) == "is neither JPEG nor PNG"


def test_a_large_limit_of_pixels_is_meant():
    limits = Limits(image_pixels=500_000_000)
    assert fault(png_head(20_000, 20_000), limits) is None
    assert "400,010,000" not in str(fault(png_head(30_000, 20_000), limits))
    assert fault(png_head(30_000, 20_000), limits) == "has 30000 x 20000 pixels, more than 500,000,000"


def test_of_several_files_the_guilty_ones_are_told():
    with pytest.raises(Unfit) as caught:
        check_images([Upload("a", picture(1)), Upload("b", b"?"), Upload("c", b"")], LIMITS)
    assert [problem.field for problem in caught.value.problems] == ["file[1]", "file[2]"]


def test_no_file_is_told():
    with pytest.raises(Unfit, match="file: missing"):
        check_images([], LIMITS)


@given(
    st.binary(max_size=60), st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", picture(2)[:200], png_head(3, 3)])
)
def test_whatever_the_bytes_are_nothing_breaks(tail, head):
    fault(head + tail)


ROW = (None,)
TAKER = SignatureSpec("predict", PREDICT_METHOD, {"image": TensorSpec("string", ROW)}, {})
OTHER = SignatureSpec("raw", PREDICT_METHOD, {"photo": TensorSpec("string", ROW)}, {})
KINDS = SignatureSpec("classify", CLASSIFY_METHOD, {"inputs": TensorSpec("string", ROW)}, {})
NUMBERS = SignatureSpec("serving_default", PREDICT_METHOD, {"x": TensorSpec("float32", ROW)}, {})


def by_name(*specs: SignatureSpec) -> dict[str, SignatureSpec]:
    return {spec.name: spec for spec in specs}


@pytest.mark.parametrize(
    ("signatures", "asked", "expected"),
    [
        (by_name(TAKER), None, ("predict", "predict", "image")),
        (by_name(TAKER, KINDS, NUMBERS), None, ("classify", "classify", "image")),
        (by_name(OTHER, TAKER), None, ("predict", "predict", "image")),
        (by_name(OTHER, TAKER, KINDS), "raw", ("predict", "raw", "photo")),
        (by_name(OTHER), None, ("predict", "raw", "photo")),
    ],
)
def test_how_a_model_is_asked_about_images(signatures, asked, expected):
    how = how_to_ask(signatures, asked)
    assert (how.verb, how.signature.name, how.column) == expected


@pytest.mark.parametrize(
    ("signatures", "asked", "saying"),
    [
        (by_name(NUMBERS, KINDS), None, "model: takes no image"),
        (by_name(TAKER, NUMBERS), "serving_default", "signature: 'serving_default' takes no image; those that do: predict"),
        (by_name(NUMBERS), "nope", "signature: 'nope' takes no image; those that do: none"),
        ({}, None, "model: takes no image"),
    ],
)
def test_a_model_that_takes_none_is_told(signatures, asked, saying):
    with pytest.raises(Unfit, match=saying):
        how_to_ask(signatures, asked)


def test_the_likeliest_classes_come_first_and_no_more_than_ten():
    row = [(f"class {number}", number / 100) for number in range(30)]
    assert [found["label"] for found in best_classes(row)][:2] == ["class 29", "class 28"]
    assert len(best_classes(row)) == 10


def test_a_score_that_is_no_number_comes_last():
    found = best_classes([("a", float("nan")), ("b", 0.25), ("c", 0.75)])
    assert [item["label"] for item in found] == ["c", "b", "a"]


def test_scores_keep_their_first_six_digits_however_small():
    assert [item["score"] for item in best_classes([("a", 0.123456789), ("b", 1.23456789e-9)])] == [0.123457, 1.23457e-9]


def test_a_photo_in_an_example_is_known_by_its_name():
    photo, bomb = ({"b64": base64.b64encode(picture(1, "JPEG", size)).decode()} for size in ((10, 10), (100, 100)))
    check_features({"context": {"text": "x"}, "examples": [{"image": photo, "other": bomb}, {}]}, LIMITS)
    with pytest.raises(Unfit) as caught:
        check_features({"context": {"photo": bomb}, "examples": [{"image": photo}, {"image": [photo, bomb], "x": 5}]}, LIMITS)
    assert [problem.field for problem in caught.value.problems] == ["context.photo", "examples[1].image"]


def test_files_become_one_column():
    assert column_of([Upload("a", b"1"), Upload("b", b"\0\0")]).tolist() == [b"1", b"\0\0"]


def test_a_photo_as_a_plain_text_is_looked_at_like_one_in_base64():
    photo, bomb = (picture(1, "JPEG", size).decode("utf-8", "surrogateescape") for size in ((10, 10), (100, 100)))
    check_features({"examples": [{"image": [photo, "text"]}]}, LIMITS)
    with pytest.raises(Unfit) as caught:
        check_features({"examples": [{"image": photo}, {"image": ["text", bomb]}]}, LIMITS)
    assert [problem.field for problem in caught.value.problems] == ["examples[1].image"]
