"""A folder is written whole or not at all, and never over what somebody else wrote."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from configs.errors import SluicewayError, UsageError
from serving.deployment.folder import RECORD, Content, write

FIRST = {"a.config": Content(b"one"), "below/b.sh": Content(b"#!/bin/sh\n")}


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != RECORD}


def test_a_new_folder_holds_the_files_and_nothing_else(tmp_path):
    assert write(tmp_path / "out", FIRST) == ["a.config", "below/b.sh"]
    assert content(tmp_path / "out") == {"a.config": b"one", "below/b.sh": b"#!/bin/sh\n"}


def test_containers_can_read_them_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        write(tmp_path, FIRST | {"key": Content(b"secret", private=True)})
    finally:
        os.umask(before)
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("a.config", "below/b.sh", "key")}
    assert modes == {"a.config": 0o644, "below/b.sh": 0o755, "key": 0o600}
    assert (tmp_path / "below").stat().st_mode & 0o755 == 0o755


def test_writing_again_changes_what_changed_and_takes_away_what_is_gone(tmp_path):
    write(tmp_path, FIRST)
    assert write(tmp_path, {"a.config": Content(b"two")}) == ["a.config", "below/b.sh"]
    assert content(tmp_path) == {"a.config": b"two"}
    assert not (tmp_path / "below").exists()
    assert write(tmp_path, {"a.config": Content(b"two")}) == []


@pytest.mark.parametrize("changed", ["by hand", "before us"])
def test_what_others_wrote_stays(tmp_path, changed):
    if changed == "by hand":
        write(tmp_path, FIRST)
    (tmp_path / "a.config").write_text("mine")
    with pytest.raises(UsageError, match=r"a\.config was not written by this command, or changed since; --force"):
        write(tmp_path, {"a.config": Content(b"two"), "0": Content(b"new")})
    assert (tmp_path / "a.config").read_text() == "mine"
    assert not (tmp_path / "0").exists()


def test_force_replaces_it(tmp_path):
    (tmp_path / "a.config").write_text("mine")
    write(tmp_path, FIRST, force=True)
    assert content(tmp_path)["a.config"] == b"one"


def test_files_beside_ours_are_nobody_s_business(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    write(tmp_path, FIRST)
    write(tmp_path, {})
    assert content(tmp_path) == {"notes.txt": b"mine"}


def test_what_was_changed_by_hand_is_not_taken_away(tmp_path):
    write(tmp_path, FIRST)
    (tmp_path / "a.config").write_text("mine")
    write(tmp_path, {})
    assert content(tmp_path) == {"a.config": b"mine"}


def test_a_failure_half_way_changes_nothing(tmp_path, monkeypatch):
    write(tmp_path, FIRST)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device", "disk")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SluicewayError, match="No space left on device"):
        write(tmp_path, {"a.config": Content(b"two"), "c": Content(b"three")})
    assert content(tmp_path) == {name: item.data for name, item in FIRST.items()}


def test_killed_between_two_renames_it_can_be_written_again(tmp_path, monkeypatch):
    write(tmp_path, {"a": Content(b"1"), "b": Content(b"1")})
    replace, left = Path.replace, iter([True, True, False])  # the record, the first file, not the second

    def killed(path: Path, target: Path) -> Path:
        if not next(left):
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, {"a": Content(b"2"), "b": Content(b"2")})
    monkeypatch.undo()
    assert content(tmp_path) == {"a": b"2", "b": b"1"}
    write(tmp_path, {"a": Content(b"3"), "b": Content(b"3")})
    assert content(tmp_path) == {"a": b"3", "b": b"3"}


@pytest.mark.parametrize("record", ["{", "[]", '{"files": {"../outside": ["DIGEST"]}}', '{"files": 3}'])
def test_a_record_that_lies_takes_nothing_away(tmp_path, record):
    (tmp_path / "outside").write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / RECORD).write_text(record.replace("DIGEST", Content(b"mine").digest))
    write(folder, FIRST)
    assert (tmp_path / "outside").read_text() == "mine"
    assert set(json.loads((folder / RECORD).read_text())["files"]) == set(FIRST)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="out is not a folder"):
        write(tmp_path / "out", FIRST)
