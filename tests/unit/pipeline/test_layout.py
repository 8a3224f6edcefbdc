"""Where a run keeps what."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import load_settings
from pipeline.layout import Layout, layout_of


def layout_with(*overrides):
    return layout_of(load_settings("taxi", "local", overrides))


def test_everything_of_a_use_case_lies_in_its_home_but_what_is_published():
    layout = Layout(Path("/state"), Path("/state/store"), "taxi")
    assert layout.home == Path("/state/pipelines/taxi")
    for path in (layout.artifacts, layout.metadata, layout.runs, layout.lock):
        assert path.parent == layout.home
    assert not layout.store.is_relative_to(layout.home)


def test_relative_folders_start_at_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert layout_with("state=here").state == tmp_path / "here"
    assert layout_with("state=here").store == tmp_path / "here" / "store"
    assert layout_with("state=here", "store.path=../there").store == tmp_path.parent / "there"


@pytest.mark.parametrize(("state", "found"), [("~/s", "s"), ("~", "")])
def test_the_home_folder_may_be_meant(tmp_path, monkeypatch, state, found):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert layout_with(f"state={state!r}").state == tmp_path / found


def test_a_store_of_its_own_leaves_the_rest(tmp_path):
    layout = layout_with(f"state={tmp_path / 'a'}", f"store.path={tmp_path / 'b'}")
    assert (layout.state, layout.store) == (tmp_path / "a", tmp_path / "b")


def test_use_cases_share_nothing_but_the_store(tmp_path):
    taxi, bikes = (Layout(tmp_path, tmp_path / "store", name) for name in ("taxi", "bikes"))
    for one, other in ((taxi.home, bikes.home), (taxi.metadata, bikes.metadata), (taxi.lock, bikes.lock)):
        assert one != other
