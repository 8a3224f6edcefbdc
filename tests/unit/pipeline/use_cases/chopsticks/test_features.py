"""The chopsticks features by name."""

from __future__ import annotations

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.example_gen.columns import read_columns
from configs.load import load_settings
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.chopsticks import data
from pipeline.use_cases.chopsticks.features import CHOPSTICK_LENGTH, CLASSES, INDIVIDUAL, INDIVIDUALS, LABEL, LONGEST, RAW_LABEL, SHORTEST


def test_features_and_label_are_the_schemas_columns():
    assert read_columns(get_use_case("chopsticks").schema_path) == {RAW_LABEL: "FLOAT", INDIVIDUAL: "INT", CHOPSTICK_LENGTH: "FLOAT"}


def test_every_column_has_its_header_in_the_configuration():
    mapped = load_settings("chopsticks").use_case.data.columns
    assert tuple(mapped[name] for name in (RAW_LABEL, INDIVIDUAL, CHOPSTICK_LENGTH)) == data.COLUMNS


def test_there_is_a_class_for_each_tercile():
    use_case = get_use_case("chopsticks")
    assert len(use_case.classes) == CLASSES == 3
    assert use_case.label == LABEL


def test_what_is_cut_off_is_beyond_the_schemas_domain():
    schema = text_format.Parse(get_use_case("chopsticks").schema_path.read_text(encoding="utf-8"), schema_pb2.Schema())
    domain = next(feature.float_domain for feature in schema.feature if feature.name == CHOPSTICK_LENGTH)
    assert SHORTEST < domain.min == min(data.LENGTHS) < max(data.LENGTHS) == domain.max < LONGEST


def test_the_vocabulary_holds_everybody_who_ships():
    assert data.PEOPLE <= INDIVIDUALS
