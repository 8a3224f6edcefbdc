"""Requests that every digits model must answer as its trainer did, edge cases among them."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageDraw

from pipeline.use_cases.digits.features import IMAGE

# A seven with its bar, as shares of the picture's sides.
_SEVEN = (((0.28, 0.2), (0.72, 0.2), (0.45, 0.82)), ((0.35, 0.52), (0.72, 0.52)))


def golden_rows() -> list[dict[str, Any]]:
    """A clean digit in every format and size, and pictures that show none."""
    clean = _seven(28, 28)
    transparent = Image.merge("LA", (Image.new("L", clean.size, 255), clean))
    files = [
        _file(clean, "PNG"),
        _file(_seven(200, 200), "JPEG"),
        _file(_seven(640, 480), "PNG"),
        _file(_seven(9, 13), "PNG"),
        _file(clean.convert("RGB"), "PNG"),
        _file(clean.convert("P"), "GIF"),
        # White ink on nothing.
        _file(transparent, "PNG"),
        _file(transparent.convert("RGBA"), "PNG"),
        _file(clean.convert("CMYK"), "JPEG"),
        # Nothing at all, everything, the smallest and a very long one.
        _file(Image.new("L", (28, 28)), "PNG"),
        _file(Image.new("L", (28, 28), 255), "PNG"),
        _file(Image.new("L", (1, 1), 128), "PNG"),
        _file(Image.new("L", (3, 500), 128), "PNG"),
    ]
    return [{IMAGE: file} for file in files]


def _seven(width: int, height: int) -> Image.Image:
    image = Image.new("L", (width, height))
    for line in _SEVEN:
        ImageDraw.Draw(image).line([(x * width, y * height) for x, y in line], fill=255, width=max(1, width // 10), joint="curve")
    return image


def _file(image: Image.Image, form: str) -> bytes:
    content = io.BytesIO()
    image.save(content, form)
    return content.getvalue()
