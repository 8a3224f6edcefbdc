"""The digits' columns and sizes agree with the schema and with MNIST."""

from __future__ import annotations

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.example_gen.columns import read_columns
from components.example_gen.reading import IMAGE_COLUMNS
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.digits.features import CLASSES, IMAGE, RAW_LABEL, SHAPE

USE_CASE = get_use_case("digits")


def test_the_schema_has_the_columns_that_images_come_with():
    assert read_columns(USE_CASE.schema_path) == IMAGE_COLUMNS


def test_a_request_holds_the_image_alone():
    assert list(read_columns(USE_CASE.schema_path, serving=True)) == [IMAGE]


def test_the_schema_allows_the_ten_digits_and_no_other_label():
    schema = text_format.Parse(USE_CASE.schema_path.read_text(encoding="utf-8"), schema_pb2.Schema())
    (label,) = (feature for feature in schema.feature if feature.name == RAW_LABEL)
    assert tuple(label.string_domain.value) == USE_CASE.classes == CLASSES == tuple("0123456789")


def test_pictures_are_of_mnists_size_and_fill_whole_numbers():
    assert SHAPE == (28, 28, 1)
    assert 28 * 28 % 8 == 0
