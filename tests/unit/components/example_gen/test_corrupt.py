"""What was left out is counted, and the first of it named."""

from __future__ import annotations

import json

import pytest

from components.example_gen.corrupt import corrupt_figures, corrupt_line, told_images


def test_the_report_names_each_image_and_the_figures_the_first():
    lines = [corrupt_line(f"cbb/{number}\n.jpg", "zero bytes") for number in range(7)]
    assert all("\n" not in line for line in lines)
    assert json.loads(lines[0]) == {"image": "cbb/0\n.jpg", "why": "zero bytes"}
    figures = corrupt_figures(lines, 600, 0.01)
    assert (figures["images"], figures["corrupt"], figures["limit"]) == (600, 7, 0.01)
    assert figures["first"] == [f"cbb/{number}\n.jpg (zero bytes)" for number in range(5)]


@pytest.mark.parametrize(
    ("images", "corrupt", "told"),
    [(600, 2, "600 images, 2 corrupt left out"), (1, 0, "1 image"), (21367, 1200, "21,367 images, 1,200 corrupt left out")],
)
def test_it_is_told_in_a_few_words(images, corrupt, told):
    assert told_images({"images": images, "corrupt": corrupt}) == told
