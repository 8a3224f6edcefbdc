"""Files for people are whole or not there."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from pipeline.cli.files import write_whole


def test_a_file_is_written_once_and_left_alone_when_nothing_changed(tmp_path):
    path = tmp_path / "taxi.yaml"
    assert write_whole(path, "a")
    before = path.stat().st_mtime_ns
    assert not write_whole(path, "a")
    assert path.stat().st_mtime_ns == before
    assert write_whole(path, "b")
    assert [child.name for child in tmp_path.iterdir()] == ["taxi.yaml"]


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere/taxi.yaml: cannot be written: No such file"):
        write_whole(tmp_path / "nowhere" / "taxi.yaml", "a")


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("1", encoding="utf-8")
    with pytest.raises(UsageError, match=r"file/taxi.yaml: cannot be written: Not a directory"):
        write_whole(tmp_path / "file" / "taxi.yaml", "a")
