"""Artifacts at plain locations."""

from __future__ import annotations

import json

import pytest

from configs.errors import SluicewayError, UsageError
from pipeline import places
from pipeline.places import (
    NOTHING_FILE,
    PROPERTIES_FILE,
    check_empty,
    delivered,
    fetched,
    load_artifact,
    local_folder,
    properties,
    save_artifact,
)


@pytest.fixture
def folder(tmp_path):
    """A folder with a file below another."""
    made = tmp_path / "made"
    (made / "deep").mkdir(parents=True)
    (made / "deep" / "rows").write_text("1", encoding="utf-8")
    return made


def test_a_local_folder_is_taken_as_it_lies_or_copied_where_asked(folder, tmp_path):
    assert fetched(str(folder), tmp_path / "copy") == folder
    assert not (tmp_path / "copy").exists()
    assert (fetched(str(folder), tmp_path / "copy", copy=True) / "deep" / "rows").read_text(encoding="utf-8") == "1"


def test_a_uri_is_fetched_and_delivered(folder, tmp_path):
    there = (tmp_path / "bucket").as_uri()
    delivered(folder, there)
    got = fetched(there, tmp_path / "got")
    assert got == tmp_path / "got"
    assert (got / "deep" / "rows").read_text(encoding="utf-8") == "1"


def test_outputs_of_a_local_location_are_written_there(tmp_path):
    assert local_folder(str(tmp_path / "out"), tmp_path / "work") == tmp_path / "out"
    assert local_folder(str(tmp_path / "out"), tmp_path / "work", copy=True) == tmp_path / "work"
    assert local_folder("s3://bucket/out", tmp_path / "work") == tmp_path / "work"


def test_a_copy_is_brought_to_its_location(folder, tmp_path):
    delivered(folder, str(tmp_path / "out"))
    assert (tmp_path / "out" / "deep" / "rows").is_file()
    delivered(folder, str(folder))
    assert [path.name for path in folder.iterdir()] == ["deep"]


@pytest.mark.parametrize("location", ["nowhere", "file:///nowhere/at/all", "moon://bucket/x"])
def test_a_location_with_nothing_there_is_told(location, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="^" + location):
        fetched(location, tmp_path / "got")


class Proto:
    """Stands for an artifact of TFX where only its message matters."""

    def __init__(self):
        from ml_metadata.proto import metadata_store_pb2

        self.mlmd_artifact = metadata_store_pb2.Artifact(id=7, type_id=3, uri="/somewhere/else")


def test_properties_go_with_the_content_and_ids_and_places_do_not(tmp_path):
    artifact = Proto()
    artifact.mlmd_artifact.properties["split_names"].string_value = '["train"]'
    artifact.mlmd_artifact.custom_properties["blessed"].int_value = 1
    save_artifact([artifact], tmp_path)
    assert set(json.loads((tmp_path / PROPERTIES_FILE).read_text(encoding="utf-8"))) == {"properties", "custom_properties"}
    assert properties(tmp_path) == {"split_names": '["train"]', "blessed": "1"}


def test_an_artifact_without_properties_gets_no_file(tmp_path):
    """TFX wants a schema's folder to hold the schema alone."""
    save_artifact([Proto()], tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert properties(tmp_path) == {}


def test_an_output_that_was_not_given_out_is_none_for_the_next_step(tmp_path):
    save_artifact([], tmp_path / "champion")
    assert [path.name for path in (tmp_path / "champion").iterdir()] == [NOTHING_FILE]
    assert load_artifact(object(), tmp_path / "champion") is None


@pytest.mark.parametrize("uri", [False, True])
def test_a_place_with_something_in_it_is_no_place_for_an_output(folder, tmp_path, uri):
    def at(path):
        return path.as_uri() if uri else str(path)

    (tmp_path / "empty").mkdir()
    check_empty(at(tmp_path / "empty"))
    check_empty(at(tmp_path / "not" / "there"))
    with pytest.raises(UsageError, match="is not empty; give another place"):
        check_empty(at(folder))


def test_a_place_that_cannot_be_looked_at_is_told():
    with pytest.raises(UsageError, match=r"^moon://bucket/x: cannot be written"):
        check_empty("moon://bucket/x")


def test_a_file_is_no_folder(folder, tmp_path):
    with pytest.raises(UsageError, match="there is no such folder"):
        fetched(str(folder / "deep" / "rows"), tmp_path / "got")


def test_spoilt_properties_are_told(tmp_path, monkeypatch):
    from tfx.types import artifact_utils

    monkeypatch.setattr(artifact_utils, "deserialize_artifact", lambda _: Proto())
    (tmp_path / places.PROPERTIES_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(SluicewayError, match="cannot be read as an artifact's properties"):
        load_artifact(object(), tmp_path)


def test_an_empty_input_is_told(tmp_path):
    with pytest.raises(UsageError, match="the folder is empty"):
        fetched(str(tmp_path), tmp_path / "got")
