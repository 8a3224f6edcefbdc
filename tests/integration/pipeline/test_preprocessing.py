"""The taxi preprocessing on a few rows, through Beam as in a run."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.use_cases.taxi.features import AMOUNTS, BIG_TIP_SHARE, LABEL, NUMERIC, PLACES, RAW_LABEL, numeric_width, one_hot_depths

NUMBERS = (*AMOUNTS, *PLACES)


def column(transformed, name):
    return np.array([output[name] for output in transformed.outputs])


def test_every_row_comes_out_with_every_feature(transformed):
    assert len(transformed.outputs) == len(transformed.rows)
    for output in transformed.outputs:
        assert set(output) == {NUMERIC, LABEL, *one_hot_depths()}
        assert output[NUMERIC].shape == (numeric_width(),)
        assert output[NUMERIC].dtype == np.float32


def test_every_number_is_finite_and_scaled(transformed):
    numbers = column(transformed, NUMERIC)
    assert np.isfinite(numbers).all()
    for place, name in enumerate(NUMBERS):
        present = [row[name] is not None for row in transformed.rows]
        assert numbers[present, place].mean() == pytest.approx(0, abs=1e-4), name


def test_a_missing_number_is_the_mean(transformed):
    numbers = column(transformed, NUMERIC)
    missing = 0
    for place, name in enumerate(NUMBERS):
        absent = [row[name] is None for row in transformed.rows]
        assert (numbers[absent, place] == 0).all(), name
        missing += sum(absent)
    assert missing


def test_every_category_is_within_its_one_hot(transformed):
    for name, depth in one_hot_depths().items():
        values = column(transformed, name)
        assert values.dtype == np.int64, name
        assert values.min() >= 0, name
        assert values.max() < depth, name


def test_what_is_beyond_a_range_goes_to_its_edge(transformed):
    hours = {row["trip_start_hour"]: output["trip_start_hour"] for row, output in zip(transformed.rows, transformed.outputs, strict=True)}
    assert hours == {19: 19, 99: 23}


def test_words_that_differ_are_told_apart_and_the_same_are_the_same(transformed):
    seen = {}
    for row, output in zip(transformed.rows, transformed.outputs, strict=True):
        seen.setdefault(row["payment_type"], set()).add(int(output["payment_type"]))
    assert all(len(numbers) == 1 for numbers in seen.values())
    assert seen["Cash"] != seen["Credit Card"]


def test_a_tip_is_big_above_its_share_of_the_fare(transformed):
    for row, output in zip(transformed.rows, transformed.outputs, strict=True):
        assert output[LABEL] == float(row[RAW_LABEL] > row["fare"] * BIG_TIP_SHARE)
    assert {float(output[LABEL]) for output in transformed.outputs} == {0.0, 1.0}
