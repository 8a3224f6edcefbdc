"""Requests that every leaves model must answer as its trainer did, edge cases among them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from pipeline.use_cases.leaves.drawing import leaf
from pipeline.use_cases.leaves.features import CLASSES, IMAGE

# None of those that are learnt from: their seeds have three parts.
_SEED = 4


def golden_rows() -> list[dict[str, Any]]:
    """A synthetic leaf of each kind, in several formats and sizes, and pictures that show none."""
    leaves = [leaf(kind, np.random.default_rng([_SEED, place])) for place, kind in enumerate(CLASSES)]
    last = leaves[-1]
    files = [
        *[_file(each, "JPEG") for each in leaves],
        _file(last, "PNG"),
        _file(last.convert("L"), "JPEG"),
        _file(last.convert("RGBA"), "PNG"),
        _file(last.convert("P"), "PNG"),
        _file(last.convert("CMYK"), "JPEG"),
        _file(last.resize((31, 17)), "PNG"),
        _file(last.resize((640, 480)), "JPEG"),
        # Night, snow, the smallest and a very long one.
        _file(Image.new("RGB", (96, 96)), "JPEG"),
        _file(Image.new("RGB", (96, 96), (255, 255, 255)), "JPEG"),
        _file(Image.new("RGB", (1, 1), (30, 120, 40)), "PNG"),
        _file(Image.new("RGB", (3, 500), (30, 120, 40)), "PNG"),
    ]
    return [{IMAGE: file} for file in files]


def _file(image: Image.Image, form: str) -> bytes:
    content = io.BytesIO()
    image.save(content, form)
    return content.getvalue()
