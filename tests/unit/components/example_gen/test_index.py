"""The index knows each image by its bytes, in an order that does not depend on names, and reads no file twice that did not change."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from components.example_gen import index as module
from components.example_gen.images import Labelled
from components.example_gen.index import SEEN_FILE, index_text, indexed, read_index, remarks, seen_text
from configs.errors import UsageError

LONG_AGO = 1_600_000_000


@pytest.fixture
def data(tmp_path):
    """Three files that were written long ago, with the images that they are."""
    root = tmp_path / "photos"
    root.mkdir()
    for name in ("a", "b", "c"):
        (root / name).write_bytes(name.encode() * 9)
        os.utime(root / name, (LONG_AGO, LONG_AGO))
    # What was written within the last two seconds may change without a trace; a file's time of change cannot be set back.
    return root


def images(*names, label="cbb"):
    return [Labelled(name, name, label) for name in names]


@pytest.fixture
def later(monkeypatch):
    """A while goes by."""
    real = module.time.time_ns
    monkeypatch.setattr(module.time, "time_ns", lambda: real() + 10**10)


def keep(index, known, name="run"):
    (known / name).mkdir(parents=True, exist_ok=True)
    (known / name / SEEN_FILE).write_text(seen_text(index), encoding="utf-8")


def test_an_entry_has_the_digest_of_the_bytes(data):
    (entry,) = indexed(data, images("a")).entries
    assert (entry.path, entry.label, entry.sha256) == ("a", "cbb", hashlib.sha256(b"a" * 9).hexdigest())


def test_the_digest_is_of_content_places_and_classes(data, tmp_path):
    before = indexed(data, images("a", "b")).digest
    assert indexed(data, images("b", "a")).digest == before
    moved = tmp_path / "elsewhere"
    data.rename(moved)
    assert indexed(moved, images("a", "b")).digest == before
    others = {indexed(moved, images("a", "b", label="healthy")).digest, indexed(moved, images("a", "b", "c")).digest}
    (moved / "a").write_bytes(b"other")
    others.add(indexed(moved, images("a", "b")).digest)
    assert len(others | {before}) == 4


def test_the_index_is_read_as_it_was_written(data, tmp_path):
    index = indexed(data, [*images("a", "b"), Labelled("c", "ü\n c", "healthy")])
    (tmp_path / "index").write_text(index_text(index), encoding="utf-8")
    assert list(read_index(str(tmp_path / "index"))) == [(str(data), entry) for entry in index.entries]


def test_so_many_of_each_class_are_the_first_by_content_and_not_by_name(data, tmp_path):
    index = indexed(data, [*images("a", "b"), *images("c", label="healthy")])
    (tmp_path / "index").write_text(index_text(index), encoding="utf-8")
    taken = [entry.sha256 for _, entry in read_index(str(tmp_path / "index"), 1)]
    cbb = min(hashlib.sha256(name * 9).hexdigest() for name in (b"a", b"b"))
    assert taken == [cbb, hashlib.sha256(b"c" * 9).hexdigest()]


@pytest.mark.usefixtures("later")
def test_a_file_that_did_not_change_is_not_read_again(data, tmp_path, monkeypatch):
    known = tmp_path / "known"
    first = indexed(data, images("a", "b"), known)
    keep(first, known)
    # Another place was read since.
    keep(module.ImageIndex(tmp_path, (), "", {}), known, "later")
    os.utime(known / "run" / SEEN_FILE, (LONG_AGO, LONG_AGO))
    opened, real = [], Path.open
    monkeypatch.setattr(Path, "open", lambda path, *args, **how: (opened.append(path), real(path, *args, **how))[1])
    assert indexed(data, images("a", "b"), known) == first
    assert [path for path in opened if path.is_relative_to(data)] == []


@pytest.mark.usefixtures("later")
def test_a_file_that_changed_is_read_again_even_with_its_old_time(data, tmp_path):
    known = tmp_path / "known"
    keep(indexed(data, images("a", "b"), known), known)
    (data / "a").write_bytes(b"x" * 9)
    os.utime(data / "a", (LONG_AGO, LONG_AGO))
    found = {entry.path: entry.sha256 for entry in indexed(data, images("a", "b"), known).entries}
    assert found["a"] == hashlib.sha256(b"x" * 9).hexdigest()


def test_a_file_that_was_just_written_is_not_taken_as_known(data):
    assert indexed(data, images("a", "b")).seen == {}


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("damage", ["", "{", '{"root": 1}', "[]"])
def test_what_another_run_left_broken_or_of_another_place_does_not_matter(data, tmp_path, damage):
    known = tmp_path / "known"
    first = indexed(data, images("a"))
    (known / "run").mkdir(parents=True)
    (known / "run" / SEEN_FILE).write_text(damage, encoding="utf-8")
    keep(module.ImageIndex(tmp_path, (), "", {"a": [1, 2, 3, "wrong"]}), known, "other")
    assert indexed(data, images("a"), known).entries == first.entries


def test_an_image_that_cannot_be_read_is_named(data):
    with pytest.raises(UsageError, match=r"photos/gone: cannot be read: No such file"):
        indexed(data, images("a", "gone"))


@pytest.mark.parametrize("how", ["pipe", "folder", "device"])
def test_what_is_no_file_is_named_and_not_waited_for(data, how):
    if how == "pipe":
        os.mkfifo(data / "p.png")
    elif how == "folder":
        (data / "p.png").mkdir()
    else:
        (data / "p.png").symlink_to("/dev/null")
    with pytest.raises(UsageError, match=r"photos/p\.png: has the name of an image and is no file; remove it"):
        indexed(data, images("a", "p.png"))


def test_nothing_is_said_of_images_as_they_should_be(data):
    assert remarks(indexed(data, [*images("a", "b"), *images("c", label="healthy")]), ("cbb", "healthy"), ()) == ""


def test_what_is_odd_about_images_is_told_in_a_line(data):
    for name in ("d", "e"):
        (data / name).write_bytes(b"a" * 9)
    index = indexed(data, [*images("a", "b", "d"), *images("c", "e", label="healthy")])
    assert remarks(index, ("cbb", "cmd", "cgm", "healthy"), ["cbb/notes.txt", "cbb/x.webp"]) == (
        ", none of cmd and cgm, 2 other files left aside (such as cbb/notes.txt), 1 in more than one class (such as a and e)"
    )


def test_empty_files_are_not_one_picture_and_a_name_that_is_no_text_can_be_printed(data):
    for name in ("d", "e"):
        (data / name).touch()
    index = indexed(data, [*images("d"), *images("e", label="healthy")])
    assert remarks(index, ("cbb", "healthy"), ["cbb/\udcff.txt"]) == ", 1 other file left aside (such as cbb/?.txt)"
