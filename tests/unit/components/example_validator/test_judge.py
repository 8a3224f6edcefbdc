"""The data gate: which data is refused, and for which reasons."""

from __future__ import annotations

import pytest

from components.example_gen.convert import UNREADABLE
from components.example_validator.judge import GATE, Anomaly, ColumnStatistics, judge

LABEL = ColumnStatistics(100, True, ())
COLUMNS = {"train": {"tips": LABEL}, "eval": {"tips": LABEL}}
ROWS = {"train": 200, "eval": 100}


def codes(verdict):
    return [reason.code for reason in verdict.reasons]


def test_good_data_is_accepted():
    verdict = judge([], COLUMNS, ROWS, "tips")
    assert verdict.accepted
    assert verdict.gate == GATE


@pytest.mark.parametrize(
    ("anomaly", "code", "message"),
    [
        (Anomaly("train", "fare", ("FEATURE_TYPE_LOW_FRACTION_PRESENT",), "missing"), "feature_type_low_fraction_present", "fare: missing"),
        (Anomaly("eval", "tips", ("OUT_OF_RANGE", "OTHER"), "too low"), "out_of_range", "tips: too low"),
        (Anomaly("eval", "tips", (), "odd"), "anomaly", "tips: odd"),
        (Anomaly("train", "", ("DATASET",), "too few"), "dataset", "too few"),
    ],
)
def test_an_anomaly_is_a_reason(anomaly, code, message):
    (reason,) = judge([anomaly], COLUMNS, ROWS, "tips").reasons
    assert (reason.code, reason.message) == (code, message)


def test_the_same_trouble_in_both_splits_is_one_reason():
    found = [Anomaly(split, "fare", ("OUT_OF_RANGE",), f"in {split}") for split in ("train", "eval")]
    other = Anomaly("train", "fare", ("TYPE",), "also")
    assert codes(judge([*found, other], COLUMNS, ROWS, "tips")) == ["out_of_range", "type"]


@pytest.mark.parametrize("rows", [{"train": 0, "eval": 100}, {"train": 300, "eval": 0}])
def test_a_split_without_rows_is_refused(rows):
    (reason,) = judge([], COLUMNS, rows, "tips").reasons
    empty = next(split for split, count in rows.items() if not count)
    assert reason.code == "empty_split"
    assert f"the {empty} split" in reason.message
    assert (reason.measured, reason.limit) == (0, 1)


@pytest.mark.parametrize(
    ("train", "refused"),
    [
        (ColumnStatistics(100, False, ()), True),
        (ColumnStatistics(100, True, ()), False),
        (ColumnStatistics(0, False, ()), False),  # its absence is an anomaly of its own
        (None, False),
    ],
)
def test_a_label_that_never_varies_teaches_nothing(train, refused):
    columns = {"train": {"tips": train} if train else {}, "eval": {"tips": LABEL}}
    verdict = judge([], columns, ROWS, "tips")
    assert codes(verdict) == (["constant_label"] if refused else [])


def test_other_columns_may_be_constant():
    constant = ColumnStatistics(100, False, ())
    assert judge([], {"train": {"tips": LABEL, "fare": constant}, "eval": {"tips": constant}}, ROWS, "tips").accepted


def test_unreadable_values_are_one_reason_a_column_with_their_number_and_the_first_place():
    name = "fare" + UNREADABLE
    columns = {
        "train": {"tips": LABEL, name: ColumnStatistics(2, True, ("a.csv line 9: 'x'", "a.csv line 3: 'y'"))},
        "eval": {"tips": LABEL, name: ColumnStatistics(1, False, ("a.csv line 4: 'z'",))},
    }
    new_column = Anomaly("train", name, ("SCHEMA_NEW_COLUMN",), "not in the schema")
    (reason,) = judge([new_column], columns, ROWS, "tips").reasons
    assert reason.code == "wrong_type"
    assert reason.message == "fare: 3 values cannot be read as a number, for example a.csv line 3: 'y'"
    assert (reason.measured, reason.limit) == (3, 0)


def test_one_unreadable_value_is_told_in_the_singular():
    columns = {"train": {"tips": LABEL}, "eval": {"fare" + UNREADABLE: ColumnStatistics(1, False, ("a.csv line 2: 'x'",))}}
    (reason,) = judge([], columns, ROWS, "tips").reasons
    assert reason.message.startswith("fare: 1 value cannot be read")


def left_out(corrupt, images=600, limit=0.01):
    first = [f"cbb/{number}.jpg (zero bytes)" for number in range(min(corrupt, 5))]
    return {"images": images, "corrupt": corrupt, "limit": limit, "first": first}


@pytest.mark.parametrize(
    ("images", "refused"),
    [
        ({}, False),
        (left_out(0), False),
        (left_out(6), False),
        (left_out(7), True),
        (left_out(1, limit=0.0), True),
        (left_out(600, limit=1.0), False),
        (left_out(0, images=0), False),
    ],
)
def test_more_broken_images_than_the_limit_allows_are_refused(images, refused):
    assert codes(judge([], COLUMNS, ROWS, "tips", images)) == ["corrupt_images"] * refused


def test_the_refusal_counts_them_and_names_the_first():
    (reason,) = judge([], COLUMNS, ROWS, "tips", left_out(12)).reasons
    assert (reason.measured, reason.limit) == (0.02, 0.01)
    assert reason.message == (
        "12 of 600 images cannot be used (2.0%, at most 1.0%): cbb/0.jpg (zero bytes); cbb/1.jpg (zero bytes); cbb/2.jpg (zero bytes);"
        " cbb/3.jpg (zero bytes); cbb/4.jpg (zero bytes); ...; corrupt_images.jsonl beside the examples names all"
    )
