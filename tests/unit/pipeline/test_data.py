"""What a run reads: the schema, the classes and the data section of its configuration, put together."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from components.example_gen.reading import IMAGE_COLUMNS
from configs.errors import ConfigError
from pipeline.data import use_case_reading, use_case_source
from pipeline.layout import layout_of
from pipeline.staging import stage_data
from pipeline.use_cases.base import get_use_case
from tests.fakes.photos import write_photos


@pytest.fixture
def taxi():
    return get_use_case("taxi")


@pytest.fixture
def leaves(settings, taxi, tmp_path, monkeypatch):
    """A use case that reads images; ``settings`` needs taxi's own schema before it is hidden."""
    del settings
    schema = "".join(f'feature {{ name: "{name}" type: {kind} }}\n' for name, kind in IMAGE_COLUMNS.items())
    (tmp_path / "schema.pbtxt").write_text(schema, encoding="utf-8")
    monkeypatch.setattr(type(taxi), "schema_path", tmp_path / "schema.pbtxt")
    return dataclasses.replace(taxi, reader="images", classes=("cbb", "healthy"))


def test_the_configuration_says_how_files_differ_from_the_schema(taxi, settings):
    given = settings("data.columns.fare=Fare ($)", "data.extra_columns=ignore", "data.key=company", "data.spans=null")
    reading = use_case_reading(taxi, given)
    assert (reading.wanted["fare"], reading.wanted["tips"]) == ("Fare ($)", "tips")
    assert (reading.ignore_extra, reading.key, reading.spans) == (True, "company", None)
    with pytest.raises(ConfigError, match=r"data\.columns\.fair: no such column"):
        use_case_reading(taxi, settings("data.columns.fair=Fare"))


def test_a_class_may_be_a_number_in_the_data(leaves, settings, tmp_path):
    write_photos(tmp_path / "photos", {"0": 1, "healthy": 1})
    given = settings(f"data.source={tmp_path / 'photos'}", "data.classes={0: cbb}")
    source = use_case_source(leaves, given, layout_of(given))
    assert sorted((entry.path, entry.label) for entry in source.images.entries) == [("0/000.jpg", "cbb"), ("healthy/000.jpg", "healthy")]


def test_images_that_a_run_staged_are_not_read_again(leaves, settings, tmp_path, monkeypatch):
    photos = write_photos(tmp_path / "photos", {"cbb": 1, "healthy": 1})
    given = settings(f"data.source={photos}")
    monkeypatch.setattr("components.example_gen.index._FRESH_NS", -1)
    first = use_case_source(leaves, given, layout_of(given))
    stage_data(first, layout_of(given))
    opened, real = [], Path.open
    monkeypatch.setattr(Path, "open", lambda path, *args, **how: (opened.append(path.suffix), real(path, *args, **how))[1])
    assert use_case_source(leaves, given, layout_of(given)) == first
    assert ".jpg" not in opened


def test_looking_at_data_writes_nothing(leaves, settings, tmp_path):
    photos = write_photos(tmp_path / "photos", {"cbb": 1, "healthy": 1})
    given = settings(f"data.source={photos}")
    use_case_source(leaves, given, layout_of(given))
    assert not layout_of(given).state.exists()
