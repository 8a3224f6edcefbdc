"""The data section is held against the schema and the classes before anything is read."""

from __future__ import annotations

import pytest
from msgspec import convert

from components.example_gen.reading import Reading, reading_of
from configs.errors import ConfigError
from configs.schema import Data

COLUMNS = {"length": "FLOAT", "label": "BYTES"}
CLASSES = ("cbb", "healthy")


def read(reader="rows", **data):
    return reading_of(COLUMNS, convert(data, Data), reader=reader, classes=CLASSES)


def test_a_column_without_an_entry_has_its_own_name():
    reading = read(columns={"length": "Chopstick.Length"})
    assert reading.wanted == {"length": "Chopstick.Length", "label": "label"}
    assert (reading.told("length"), reading.told("label")) == ("'Chopstick.Length' (length)", "'label'")


def test_the_key_is_read_even_where_the_schema_does_not_know_it():
    assert read(key="person", columns={"person": "Customer No."}).wanted == {**{n: n for n in COLUMNS}, "person": "Customer No."}
    assert list(read(key="label").wanted) == list(COLUMNS)


def test_a_class_is_found_by_its_name_in_the_data_or_by_its_own():
    reading = read("images", classes={"0": "cbb"})
    assert [reading.class_of(written) for written in ("0", "cbb", "healthy", "1", "CBB")] == ["cbb", "cbb", "healthy", None, None]


def test_two_columns_may_change_their_names():
    assert read(columns={"length": "label", "label": "length"}).wanted == {"length": "label", "label": "length"}


@pytest.mark.parametrize(
    ("reader", "data", "told"),
    [
        ("rows", {"columns": {"width": "W"}}, "data.columns.width: no such column; the schema has: label, length"),
        (
            "rows",
            {"columns": {"length": "label"}},
            "data.columns.label: 'label' is also the column of 'length'; each needs one of its own",
        ),
        ("rows", {"images": "x"}, "data.images: 'x' is for use cases that read images; this one reads rows"),
        ("rows", {"classes": {"0": "cbb"}}, "data.classes: {'0': 'cbb'} is for use cases that read images; this one reads rows"),
        ("images", {"key": "label"}, "data.key: 'label' is not what images have; allowed: name (the path), or null (the image's content)"),
        ("images", {"columns": {"name": "id"}}, "data.columns.name: no column of a label CSV; allowed: image_id, label"),
        ("images", {"classes": {"0": "cbx"}}, "data.classes.0: 'cbx' is none of the classes: cbb, healthy"),
    ],
)
def test_what_does_not_fit_names_the_key(reader, data, told):
    with pytest.raises(ConfigError) as caught:
        read(reader, **data)
    assert str(caught.value) == told


def test_the_columns_alone_read_files_that_fit_the_schema():
    assert Reading(COLUMNS).wanted == dict.fromkeys(COLUMNS) | {name: name for name in COLUMNS}
    assert reading_of(COLUMNS, Data()) == Reading(COLUMNS)
