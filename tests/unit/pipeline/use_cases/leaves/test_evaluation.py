"""The leaves' golden rows reach the edges: every kind, formats, sizes, grey, transparent, no leaf at all."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from components.example_gen.decode import fault
from pipeline.use_cases.leaves.evaluation import golden_rows
from pipeline.use_cases.leaves.features import CLASSES


@pytest.fixture(scope="module")
def files():
    return [row["image"] for row in golden_rows()]


def test_the_rows_differ_and_each_kind_is_among_them(files):
    assert len(set(files)) == len(files) > len(CLASSES)


def test_formats_modes_and_sizes_reach_the_edges(files):
    pictures = [Image.open(io.BytesIO(file)) for file in files]
    assert {picture.format for picture in pictures} == {"PNG", "JPEG"}
    assert {picture.mode for picture in pictures} >= {"L", "RGB", "RGBA", "P", "CMYK"}
    sizes = {picture.size for picture in pictures}
    assert {(1, 1), (3, 500), (640, 480)} < sizes


def test_every_row_could_be_learnt_from(files):
    assert {fault(file) for file in files} == {None}
