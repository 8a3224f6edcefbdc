"""Paths as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import UsageError
from configs.load import load_settings
from configs.paths import expanded, state_folder, store_folder


def test_the_home_folder_is_resolved(monkeypatch):
    monkeypatch.setenv("HOME", "/home-of-one")
    assert expanded("~/rows.csv") == Path("/home-of-one/rows.csv")


@pytest.mark.parametrize("text", ["", "~nobody-has-this-name/rows.csv", "a\0b"])
def test_what_is_no_path_is_the_callers_mistake(text):
    with pytest.raises(UsageError):
        expanded(text)


def test_the_store_is_below_the_state_unless_it_has_a_place_of_its_own(tmp_path):
    below = load_settings("taxi", "local", [f"state={tmp_path}"]).environment
    assert (state_folder(below), store_folder(below)) == (tmp_path, tmp_path / "store")
    own = load_settings("taxi", "local", [f"state={tmp_path}", f"store.path={tmp_path / 'elsewhere'}"]).environment
    assert store_folder(own) == tmp_path / "elsewhere"
