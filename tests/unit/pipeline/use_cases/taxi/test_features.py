"""The taxi features by name."""

from __future__ import annotations

from components.example_gen.columns import read_columns
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.taxi.features import AMOUNTS, AREAS, CALENDAR, PLACES, RAW_LABEL, WORDS, numeric_width, one_hot_depths

GROUPS = {"FLOAT": (AMOUNTS, PLACES), "INT": (tuple(CALENDAR), tuple(AREAS)), "BYTES": (tuple(WORDS),)}


def test_every_feature_is_a_column_of_the_right_type():
    columns = read_columns(get_use_case("taxi").schema_path)
    for kind, groups in GROUPS.items():
        for name in (name for group in groups for name in group):
            assert columns[name] == kind, name


def test_no_feature_is_used_twice_and_the_label_never():
    names = [name for groups in GROUPS.values() for group in groups for name in group]
    assert len(set(names)) == len(names)
    assert RAW_LABEL not in names


def test_there_is_a_number_for_each_amount_and_place():
    assert numeric_width() == len(AMOUNTS) + len(PLACES)


def test_words_have_one_more_bucket_for_what_was_never_seen():
    depths = one_hot_depths()
    assert set(depths) == {*CALENDAR, *AREAS, *WORDS}
    assert all(depths[name] == size + 1 for name, size in WORDS.items())


def test_the_ranges_hold_what_the_schema_allows():
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = text_format.Parse(get_use_case("taxi").schema_path.read_text(encoding="utf-8"), schema_pb2.Schema())
    domains = {feature.name: feature.int_domain for feature in schema.feature if feature.HasField("int_domain")}
    for name, depth in {**CALENDAR, **AREAS}.items():
        assert domains[name].max == depth - 1, name
