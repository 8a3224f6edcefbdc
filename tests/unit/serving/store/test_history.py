"""The ledger: whole lines, only ever added to."""

from __future__ import annotations

import json

import pytest

from serving.errors import StoreError, StoreFull
from serving.store.history import Event, append, highest_version, read


def event(version: int | None, kind: str = "publish") -> Event:
    return Event("2024-05-01T12:00:00+00:00", kind, "taxi", "run", version, None, {"metrics": {"auc": 0.9}})


def test_what_was_added_is_read_in_order(tmp_path):
    events = [event(1), event(None, "refuse"), event(2)]
    for each in events:
        append(tmp_path / "ledger", each)
    assert read(tmp_path / "ledger") == events
    assert len((tmp_path / "ledger").read_text(encoding="utf-8").splitlines()) == 3


def test_no_ledger_is_an_empty_one(tmp_path):
    assert read(tmp_path / "ledger") == []


@pytest.mark.parametrize("cut", [1, 2, 20, 100])
def test_a_line_that_a_crash_cut_off_swallows_nothing(tmp_path, cut):
    path = tmp_path / "ledger"
    for version in (1, 2):
        append(path, event(version))
    path.write_bytes(path.read_bytes()[:-cut])
    whole = [1, 2] if cut == 1 else [1]  # without its newline a line is still whole
    assert [each.version for each in read(path)] == whole
    append(path, event(3))
    assert [each.version for each in read(path)] == [*whole, 3]
    assert path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("line", [b"", b"null", b"[]", b"{}", b"\xff\x00", b'{"at": "now"}', b"}{"])
def test_a_line_that_is_no_event_is_passed_over(tmp_path, line):
    path = tmp_path / "ledger"
    append(path, event(1))
    path.write_bytes(path.read_bytes() + line + b"\n")
    append(path, event(2))
    assert [each.version for each in read(path)] == [1, 2]


def test_a_write_that_takes_a_part_only_is_taken_back(tmp_path, monkeypatch):
    from serving.store import history

    path = tmp_path / "ledger"
    append(path, event(1))
    before, write = path.read_bytes(), history.os.write
    monkeypatch.setattr(history.os, "write", lambda descriptor, data: write(descriptor, data[:10]))
    with pytest.raises(StoreFull, match="no space left"):
        append(path, event(2))
    assert path.read_bytes() == before


def test_an_event_is_on_the_disk_when_append_returns(tmp_path, monkeypatch):
    from serving.store import history

    synced = []
    monkeypatch.setattr(history.os, "fsync", lambda descriptor: synced.append(history.os.fstat(descriptor).st_size))
    append(tmp_path / "ledger", event(1))
    assert synced == [(tmp_path / "ledger").stat().st_size]


def test_a_ledger_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(StoreError, match=str(tmp_path)):
        read(tmp_path)


def test_a_line_is_plain_json(tmp_path):
    append(tmp_path / "ledger", event(1))
    assert json.loads((tmp_path / "ledger").read_bytes())["details"] == {"metrics": {"auc": 0.9}}


@pytest.mark.parametrize(("versions", "highest"), [([], 0), ([None], 0), ([1, 3, None, 2], 3)])
def test_the_highest_version_of_a_ledger(versions, highest):
    assert highest_version([event(version) for version in versions]) == highest
