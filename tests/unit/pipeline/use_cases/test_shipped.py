"""Rows made once are there whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import UsageError
from pipeline.use_cases import shipped


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def recipe(tmp_path: Path, text: str = "1") -> Path:
    path = tmp_path / "recipe.py"
    path.write_text(text)
    return path


def nothing(_: Path) -> None:
    """Makes an empty folder."""


def test_it_is_made_once(tmp_path):
    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "rows.csv").write_text("a\n1\n")

    first = shipped.made_once("x", recipe(tmp_path), make)
    assert shipped.made_once("x", recipe(tmp_path), make) == first
    assert len(calls) == 1
    assert (first / "rows.csv").read_text() == "a\n1\n"


def test_another_recipe_is_another_folder(tmp_path):
    one = shipped.made_once("x", recipe(tmp_path, "1"), nothing)
    assert shipped.made_once("x", recipe(tmp_path, "2"), nothing) != one


def test_what_fails_half_way_leaves_nothing(tmp_path, cache):
    def make(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        shipped.made_once("x", recipe(tmp_path), make)
    assert list((cache / "sluiceway" / "data").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path, cache):
    cache.write_text("a file where the folder should be")
    with pytest.raises(UsageError, match=r"the rows of x cannot be kept in .*; set XDG_CACHE_HOME"):
        shipped.made_once("x", recipe(tmp_path), nothing)
