"""The complaint features by name."""

from __future__ import annotations

from components.example_gen.columns import read_columns
from configs.load import load_settings
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.complaints import data
from pipeline.use_cases.complaints.features import (
    CATEGORIES,
    LABEL,
    MAX_WORDS,
    NARRATIVE,
    RAW_LABEL,
    ZIP_CODE,
    ZIP_PREFIX,
    max_ngrams,
    one_hot_depths,
)


def test_every_feature_is_a_text_column_of_the_schema():
    columns = read_columns(get_use_case("complaints").schema_path)
    assert columns == dict.fromkeys({*CATEGORIES, NARRATIVE, ZIP_CODE, RAW_LABEL} - {ZIP_PREFIX}, "BYTES")


def test_the_label_is_no_feature():
    assert not {RAW_LABEL, LABEL} & {*CATEGORIES, NARRATIVE}
    assert get_use_case("complaints").label == LABEL


def test_every_column_has_the_public_files_header_in_the_configuration():
    assert load_settings("complaints").use_case.data.columns == data.HEADERS


def test_a_category_has_a_number_for_nothing_and_one_for_what_was_never_seen():
    assert one_hot_depths() == {f"{name}_number": size + 2 for name, size in CATEGORIES.items()}


def test_a_text_has_room_for_every_word_and_every_pair():
    assert max_ngrams() == MAX_WORDS + (MAX_WORDS - 1)


def test_every_vocabulary_holds_what_ships():
    rows = [each.row for each in data.draw(data.ROWS)]
    for name, size in CATEGORIES.items():
        if name != ZIP_PREFIX:
            assert len({row[name] for row in rows}) <= size, name
