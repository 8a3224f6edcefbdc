"""The digits ship inside scikit-learn and are unpacked once."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from configs.errors import UsageError
from pipeline.use_cases.digits import data
from pipeline.use_cases.digits.features import CLASSES


def test_some_of_them_lie_in_a_folder_for_each_digit(tmp_path, monkeypatch):
    some = list(itertools.islice(data._rows(), 40))
    monkeypatch.setattr(data, "_rows", lambda: iter(some))
    data.write(tmp_path)
    assert {folder.name for folder in tmp_path.iterdir()} == set(CLASSES)
    assert len(list(tmp_path.glob("*/*.png"))) == 40


def test_there_are_1797_of_8x8_pixels_with_0_to_16():
    rows = list(data._rows())
    assert len(rows) == 1797
    assert {label for label, _ in rows} == set(range(10))
    assert {pixels.shape for _, pixels in rows} == {(8, 8)}
    assert (min(pixels.min() for _, pixels in rows), max(pixels.max() for _, pixels in rows)) == (0, 16)


def test_one_is_shown_as_mnist_shows_it():
    full = data.enlarged(np.full((8, 8), 16))
    assert full.shape == (28, 28)
    assert (full[4:24, 4:24] == 255).all()
    assert full.sum() == 20 * 20 * 255


def test_ink_stays_where_it_was():
    pixels = np.zeros((8, 8))
    pixels[0, 7] = 16
    rows, columns = np.nonzero(data.enlarged(pixels) > 100)
    assert rows.max() < 8
    assert columns.min() > 19


def test_finding_them_does_not_import_sklearn(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(data, "write", lambda _: next(data._rows()))
    before = set(sys.modules)
    data.source()
    assert not {name.partition(".")[0] for name in set(sys.modules) - before} & {"sklearn", "tensorflow", "keras"}


@pytest.mark.parametrize(
    "spec", [None, SimpleNamespace(submodule_search_locations=None), SimpleNamespace(submodule_search_locations=["/nowhere"])]
)
def test_without_sklearn_the_way_out_is_told(monkeypatch, spec):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(UsageError, match=r"pip install 'sluiceway\[pipeline\]' or give --data"):
        next(data._rows())
