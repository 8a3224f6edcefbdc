"""The digits' golden rows reach the edges: formats, sizes, grey, transparent, nothing to see."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from components.example_gen.decode import fault
from pipeline.use_cases.digits.evaluation import golden_rows


@pytest.fixture(scope="module")
def files():
    return [row["image"] for row in golden_rows()]


def test_the_rows_differ_and_are_the_same_each_time(files):
    assert len(set(files)) == len(files)
    assert [row["image"] for row in golden_rows()] == files


def test_every_format_and_mode_is_among_them(files):
    pictures = [Image.open(io.BytesIO(file)) for file in files]
    assert {picture.format for picture in pictures} == {"PNG", "JPEG", "GIF"}
    assert {picture.mode for picture in pictures} >= {"L", "LA", "RGB", "RGBA", "CMYK"}


def test_sizes_reach_from_one_pixel_to_long_and_large(files):
    sizes = {Image.open(io.BytesIO(file)).size for file in files}
    assert {(1, 1), (28, 28)} < sizes
    assert any(width * 50 < height for width, height in sizes)
    assert any(width > 500 for width, _ in sizes)


def test_every_row_could_be_learnt_from_but_the_gif(files):
    assert {fault(file) for file in files} == {None, "neither JPEG nor PNG"}
