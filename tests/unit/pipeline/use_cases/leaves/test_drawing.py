"""A drawn leaf shows what its kind is known by."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from components.example_gen.decode import fault
from pipeline.use_cases.leaves.drawing import leaf, write
from pipeline.use_cases.leaves.features import CLASSES

SEEDS = range(4)


def share(kind, colour):
    """How much of some pictures of a kind is of a colour, which is (least, most) of red, green and blue."""
    pictures = [np.asarray(leaf(kind, np.random.default_rng(seed)), int) for seed in SEEDS]
    least, most = np.array(colour).T
    return float(np.mean([((picture >= least) & (picture <= most)).all(axis=2).mean() for picture in pictures]))


# On grounds that are brown or grey themselves: a dark spot and a brown streak are what no ground is.
DARK, BROWN = ((20, 70), (15, 60), (5, 45)), ((104, 135), (45, 72), (5, 45))
PALE, YELLOW = ((145, 180), (190, 225), (110, 145)), ((190, 240), (170, 220), (30, 90))


@pytest.mark.parametrize(("kind", "colour"), [("cbb", DARK), ("cbsd", BROWN), ("cgm", PALE), ("cmd", YELLOW)])
def test_a_disease_has_its_colour_and_a_healthy_leaf_has_not(kind, colour):
    assert share(kind, colour) > 0.012
    assert share(kind, colour) > 3 * share("healthy", colour)


def test_every_kind_can_be_drawn_and_the_seed_decides_how():
    for kind in CLASSES:
        one, other, third = (np.asarray(leaf(kind, np.random.default_rng(seed))) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, other)
        assert one.shape != third.shape or (one != third).any()


def test_a_kind_that_there_is_not_is_an_error():
    with pytest.raises(KeyError):
        leaf("rust", np.random.default_rng(0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("leaves")
    write(place, per_kind=2)
    return place


def test_there_is_a_folder_for_each_kind_with_images_that_can_be_read(folder):
    assert {path.name for path in folder.iterdir()} == set(CLASSES)
    files = sorted(folder.glob("*/*.jpg"))
    assert len(files) == 2 * len(CLASSES)
    assert {fault(path.read_bytes()) for path in files} == {None}


def test_no_two_are_alike_in_content_or_all_in_size(folder):
    files = list(folder.glob("*/*.jpg"))
    assert len({path.read_bytes() for path in files}) == len(files)
    sizes = [Image.open(io.BytesIO(path.read_bytes())).size for path in files]
    assert len(set(sizes)) > 5
    assert np.min(sizes) >= 96
    assert np.max(sizes) <= 320


def test_they_are_the_same_every_time(folder, tmp_path):
    write(tmp_path, per_kind=1)
    for kind in CLASSES:
        assert (tmp_path / kind / "0000.jpg").read_bytes() == (folder / kind / "0000.jpg").read_bytes()
