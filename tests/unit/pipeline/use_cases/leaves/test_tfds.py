"""The photos of TensorFlow Datasets become a folder for each kind, or one line says why not."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from configs.errors import UsageError
from pipeline.use_cases.leaves.features import CLASSES
from pipeline.use_cases.leaves.tfds import photos, write

# Not in the order of our kinds: names decide, not numbers.
NAMES = ["cbb", "cmd", "cgm", "cbsd", "healthy"]


def library(load):
    """As much of tensorflow_datasets as is used."""
    return SimpleNamespace(load=load, as_numpy=iter, decode=SimpleNamespace(SkipDecoding=lambda: "as it is"))


@pytest.fixture
def installed(monkeypatch):
    def load(name, *, with_info, decoders):
        assert (name, with_info, decoders) == ("cassava", True, {"image": "as it is"})
        info = SimpleNamespace(features={"label": SimpleNamespace(names=NAMES)})
        return {"train": [{"label": 1, "image": b"a"}, {"label": 4, "image": b"b"}], "test": [{"label": 3, "image": b"c"}]}, info

    monkeypatch.setitem(sys.modules, "tensorflow_datasets", library(load))


@pytest.mark.usefixtures("installed")
def test_every_photo_lies_as_it_is_in_its_kinds_folder(tmp_path):
    out = tmp_path / "out"
    assert write(photos(), out) == 3
    assert {path.parent.name: path.read_bytes() for path in out.glob("*/*.jpg")} == {"cmd": b"a", "healthy": b"b", "cbsd": b"c"}
    assert {path.name for path in out.iterdir()} == set(CLASSES)


def test_without_the_library_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(UsageError, match="pip install tensorflow-datasets"):
        next(photos())


def test_without_internet_the_cause_is_told_in_one_line(monkeypatch):
    def load(*_, **__):
        raise RuntimeError("no route\nto host")

    monkeypatch.setitem(sys.modules, "tensorflow_datasets", library(load))
    with pytest.raises(UsageError, match=r"^the cassava photos cannot be had: no route to host$"):
        next(photos())


def test_a_kind_that_is_none_of_ours_is_told(tmp_path):
    with pytest.raises(UsageError, match="the kind 'rust' is none of cbb"):
        write(iter([("train", "rust", b"")]), tmp_path / "out")


@pytest.mark.parametrize("name", ["cbb", "file", "dangling"])
def test_what_is_there_is_left_alone_and_nothing_is_downloaded(tmp_path, name):
    (tmp_path / "cbb").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")

    def never():
        raise AssertionError
        yield

    with pytest.raises(UsageError, match="is there already; name a new folder"):
        write(never(), tmp_path / name)


@pytest.mark.parametrize("error", [UsageError("no route to host"), KeyboardInterrupt()])
def test_what_breaks_off_leaves_nothing_and_can_be_tried_again(tmp_path, error):
    def breaks_off():
        yield "train", "cbb", b"a"
        raise error

    with pytest.raises(type(error)):
        write(breaks_off(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    assert write(iter([("train", "cbb", b"a")]), tmp_path / "out") == 1
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_nothing_is_there_before_it_is_whole(tmp_path):
    def looked_at():
        yield "train", "cbb", b"a"
        assert not (tmp_path / "out").exists()

    write(looked_at(), tmp_path / "out")


def test_of_two_at_once_the_second_is_told(tmp_path):
    def overtaken():
        write(iter([("train", "cmd", b"b")]), tmp_path / "out")
        yield "train", "cbb", b"a"

    with pytest.raises(UsageError, match="is there already; name a new folder"):
        write(overtaken(), tmp_path / "out")
    assert [path.read_bytes() for path in (tmp_path / "out").glob("*/*.jpg")] == [b"b"]


def test_where_nothing_can_be_written_the_cause_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written: File exists"):
        write(iter([]), tmp_path / "file" / "out")
