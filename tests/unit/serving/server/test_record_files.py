"""Files of records: whole, private, limited in size."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from serving.server import record_files, tfrecord
from serving.server.record_files import RecordFiles

FRAME = len(tfrecord.frame(b"")) + 1  # of a record of one byte


def contents(folder: Path) -> list[list[bytes]]:
    """The records of each file, in the order of the files' numbers."""
    paths = sorted(folder.glob("log.*.tfrecord"), key=lambda path: int(path.name.split(".")[-2]))
    return [list(tfrecord.read(path)) for path in paths]


def test_records_are_there_as_soon_as_they_are_appended(tmp_path):
    files = RecordFiles(f"{tmp_path}/log", 10**6)
    assert files.append([b"a", b"b"]) == 2
    assert files.append([b"c"]) == 1
    assert contents(tmp_path) == [[b"a", b"b", b"c"]]
    files.close()


def test_a_full_file_is_followed_by_another(tmp_path):
    files = RecordFiles(f"{tmp_path}/log", 2 * FRAME)
    files.append([b"1", b"2", b"3"])
    files.append([b"4", b"5"])
    files.append([b"a record that is larger than a file"])
    files.append([b"6"])
    files.close()
    assert contents(tmp_path) == [[b"1", b"2"], [b"3", b"4"], [b"5"], [b"a record that is larger than a file"], [b"6"]]


def test_files_are_named_after_host_and_process_and_private(tmp_path, monkeypatch):
    monkeypatch.setattr(record_files.socket, "gethostname", lambda: "pod-7")
    files = RecordFiles(f"{tmp_path}/new/folder/log", 10**6)
    old = os.umask(0)
    try:
        files.append([b"a"])
    finally:
        os.umask(old)
        files.close()
    path = tmp_path / "new" / "folder" / f"log.pod-7.{os.getpid()}.0.tfrecord"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_file_of_an_earlier_process_is_left_alone(tmp_path):
    for _ in range(2):
        files = RecordFiles(f"{tmp_path}/log", 10**6)
        files.append([b"a"])
        files.close()
    assert contents(tmp_path) == [[b"a"], [b"a"]]


def limited(monkeypatch, total: int, after: int) -> None:
    """The next writes of a process reach ``total`` bytes, in pieces of ``after``, then the disk is full."""
    left, write = [total], os.write

    def until_full(file: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = write(file, bytes(data)[: min(left[0], after)])
        left[0] -= count
        return count

    monkeypatch.setattr(record_files.os, "write", until_full)


def test_a_full_disk_leaves_no_half_record(tmp_path, monkeypatch):
    files = RecordFiles(f"{tmp_path}/log", 10**6)
    files.append([b"a"])
    with monkeypatch.context() as patch:
        limited(patch, FRAME + 5, after=4)
        with pytest.raises(OSError, match="No space left"):
            files.append([b"b", b"c"])
    assert contents(tmp_path) == [[b"a"]]
    assert files.append([b"d"]) == 1
    files.close()
    assert contents(tmp_path) == [[b"a", b"d"]]


def test_what_was_written_before_the_disk_was_full_is_told(tmp_path, monkeypatch):
    files = RecordFiles(f"{tmp_path}/log", FRAME)
    limited(monkeypatch, FRAME, after=1000)
    assert files.append([b"a", b"b"]) == 1
    with pytest.raises(OSError, match="No space left"):
        files.append([b"b"])
    files.close()
    assert contents(tmp_path) == [[b"a"], []]


def test_a_file_that_cannot_be_cut_is_left_for_another(tmp_path, monkeypatch):
    files = RecordFiles(f"{tmp_path}/log", 10**6)
    files.append([b"a"])
    with monkeypatch.context() as patch:
        limited(patch, 3, after=3)
        patch.setattr(record_files.os, "ftruncate", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "I/O error")))
        with pytest.raises(OSError, match="No space left"):
            files.append([b"b"])
    files.append([b"c"])
    files.close()
    assert list(tfrecord.read(tmp_path / sorted(path.name for path in tmp_path.iterdir())[1])) == [b"c"]
