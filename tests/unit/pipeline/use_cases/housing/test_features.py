"""The housing features by name."""

from __future__ import annotations

from components.example_gen.columns import read_columns
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.housing.features import INPUTS, LABEL, NUMBERS, RAW_LABEL, SKEWED, WHOLE


def test_every_column_but_the_label_is_an_input_once():
    assert sorted([*INPUTS, RAW_LABEL]) == sorted(read_columns(get_use_case("housing").schema_path))
    assert len(set(INPUTS)) == len(INPUTS) == 12


def test_inputs_are_of_their_columns_types():
    columns = read_columns(get_use_case("housing").schema_path)
    assert {columns[name] for name in (*SKEWED, *NUMBERS)} == {"FLOAT"}
    assert {columns[name] for name in WHOLE} == {"INT"}


def test_the_labels_are_those_of_the_use_case():
    use_case = get_use_case("housing")
    assert (use_case.raw_label, use_case.label) == (RAW_LABEL, LABEL)


def test_the_column_b_is_no_input():
    assert "B" not in INPUTS
