"""Which directories are versions, and which are complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.protocol.status import Code, StatusError
from serving.server import version_dirs
from serving.server.version_dirs import scan, scan_like_upstream, verify
from serving.store.manifest import MANIFEST
from tests.fakes.versions import write_manifest


def plant(base: Path, *files: str) -> Path:
    for file in files:
        (base / file).parent.mkdir(parents=True, exist_ok=True)
        (base / file).write_text("x")
    return base


def test_only_positive_integers_are_versions(tmp_path):
    names = ["1", "20", "007", "-3", "0", "tmp-4", "5.tmp", "history.jsonl", "9" * 30, "9" * 19]
    plant(tmp_path, *(f"{name}/saved_model.pb" for name in names))
    assert [item.version for item in scan(tmp_path)] == [1, 20]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (["1/saved_model.pb"], None),
        (["1/saved_model.pb", "1/variables/variables.index", "1/variables/variables.data-00000-of-00001"], None),
        (["1"], "is not a directory"),
        (["1/variables/variables.index"], "does not appear to contain a SavedModel bundle (should have a file called `saved_model.pb`)"),
        (["1/saved_model.pb", "1/variables/variables.index"], "variables/variables.data-* is missing"),
        (["1/saved_model.pb", "1/variables/variables.data-00000-of-00001"], "variables/variables.index is missing"),
        (
            ["1/saved_model.pb", "1/variables/variables.index", "1/variables/variables.data-00000-of-00002"],
            "variables/variables.data-00001-of-00002 is missing",
        ),
    ],
)
def test_an_incomplete_version_names_what_is_missing(tmp_path, files, problem):
    (item,) = scan(plant(tmp_path, *files))
    assert item.problem is None if problem is None else problem in (item.problem or "")


def test_the_fingerprint_follows_the_files(tmp_path):
    before = scan(plant(tmp_path, "1/saved_model.pb"))[0].fingerprint
    assert scan(tmp_path)[0].fingerprint == before
    (tmp_path / "1/saved_model.pb").write_text("longer")
    changed = scan(tmp_path)[0].fingerprint
    plant(tmp_path, "1/assets/words.txt")
    assert len({before, changed, scan(tmp_path)[0].fingerprint}) == 3


def test_a_missing_base_path_is_the_callers_problem(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        scan(tmp_path / "missing")


def with_manifest(base: Path) -> Path:
    plant(base, "1/saved_model.pb", "1/variables/variables.index", "1/variables/variables.data-00000-of-00001", "1/assets/words.txt")
    write_manifest(base / "1")
    return base / "1"


def test_a_version_with_a_manifest_is_complete_and_verifies(tmp_path):
    path = with_manifest(tmp_path)
    assert scan(tmp_path)[0].problem is None
    verify(path)


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (lambda path: (path / "assets/words.txt").unlink(), "does not match its manifest: assets/words.txt is missing"),
        (lambda path: (path / "assets/more.txt").touch(), "does not match its manifest: assets/more.txt does not belong there"),
        (lambda path: (path / MANIFEST).write_text("{"), f"{MANIFEST}: not a manifest"),
    ],
)
def test_a_scan_names_what_the_manifest_misses(tmp_path, break_it, problem):
    break_it(with_manifest(tmp_path))
    assert problem in (scan(tmp_path)[0].problem or "")


def test_changed_contents_are_found_when_loading(tmp_path):
    path = with_manifest(tmp_path)
    (path / "saved_model.pb").write_text("y")
    assert scan(tmp_path)[0].problem is None
    with pytest.raises(StatusError, match=r"saved_model\.pb was changed$") as caught:
        verify(path)
    assert caught.value.code is Code.DATA_LOSS


def test_a_changed_manifest_is_found_when_loading(tmp_path):
    path = plant(tmp_path, "1/saved_model.pb") / "1"
    write_manifest(path, digest="sha256:other")
    with pytest.raises(StatusError, match=r"manifest\.json was changed"):
        verify(path)


def test_without_a_manifest_there_is_nothing_to_verify(tmp_path):
    verify(plant(tmp_path, "1/saved_model.pb") / "1")


def test_what_did_not_change_is_not_looked_into_again(tmp_path, monkeypatch):
    path = with_manifest(tmp_path)
    known = {item.version: item for item in scan(tmp_path)}
    reads = []
    monkeypatch.setattr(version_dirs, "read_manifest", lambda path: reads.append(path) or pytest.fail("read again"))
    assert scan(tmp_path, known) == list(known.values())
    (path / "assets/words.txt").unlink()
    with pytest.raises(pytest.fail.Exception):
        scan(tmp_path, known)
    assert reads == [path]


def test_upstream_takes_every_int64_for_a_version(tmp_path):
    numbers = {"1": 1, "007": 7, "+3": 3, "-3": -3, " 4 ": 4, "0": 0, "00000000000000000000000005": 5, str(2**63 - 1): 2**63 - 1}
    others = ["tmp-4", "5.tmp", "history.jsonl", "1_0", "0x10", "+", "", "- 1", "1 2", "\u0663", str(2**63), "9" * 30]
    for name in [*numbers, *filter(None, others)]:
        (tmp_path / name).mkdir()
    assert {item.path.name: item.version for item in scan_like_upstream(tmp_path)} == numbers


def test_upstream_looks_into_nothing_and_takes_files(tmp_path):
    (tmp_path / "7").write_text("a plain file")
    (tmp_path / "8").mkdir()
    assert [(item.version, item.problem) for item in scan_like_upstream(tmp_path)] == [(7, None), (8, None)]


def test_upstream_sees_two_names_of_one_number_in_byte_order(tmp_path):
    for name in ("1", "001", " 1"):
        (tmp_path / name).mkdir()
    assert [item.path.name for item in scan_like_upstream(tmp_path)] == [" 1", "001", "1"]


def test_rights_that_change_are_a_change(tmp_path):
    (file := plant(tmp_path, "1/saved_model.pb") / "1" / "saved_model.pb").chmod(0o600)
    (before,) = scan(tmp_path)
    # The clock of a file system may tick only every few milliseconds.
    for _ in range(10_000):
        file.chmod(0o600 if file.stat().st_mode & 0o044 else 0o644)
        (after,) = scan(tmp_path)
        if after.fingerprint != before.fingerprint:
            return
    raise AssertionError("what could not be read before would never be tried again")
