"""The housing preprocessing on the golden rows and the 506 districts, through Beam as in a run."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pytest

from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.housing.features import FARTHEST, INPUTS, LABEL, NUMERIC, RAW_LABEL
from tests.integration.pipeline.use_cases.analysed import transformed

USE_CASE = get_use_case("housing")


@pytest.fixture(scope="module")
def districts() -> list[dict[str, Any]]:
    with USE_CASE.source().open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def outputs(districts, tmp_path_factory) -> list[dict[str, Any]]:
    """Analysed over the districts; what comes out is the golden rows, then the districts."""
    golden = [{**row, RAW_LABEL: None} for row in USE_CASE.golden_rows()]
    return transformed(USE_CASE, districts, [*golden, *districts], tmp_path_factory.mktemp("transform"))


def test_the_inputs_are_z_scores(outputs, districts):
    numbers = np.array([row[NUMERIC] for row in outputs[-len(districts) :]])
    assert numbers.shape == (506, len(INPUTS))
    np.testing.assert_allclose(numbers.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(numbers.std(axis=0), 1, atol=0.05)


def test_the_label_is_the_price_as_it_is(outputs, districts):
    assert [row[LABEL] for row in outputs[-len(districts) :]] == pytest.approx([row[RAW_LABEL] for row in districts])


def test_what_is_missing_is_the_mean_and_what_is_absurd_is_cut_off(outputs):
    for row, output in zip(USE_CASE.golden_rows(), outputs, strict=False):
        assert np.abs(output[NUMERIC]).max() <= FARTHEST
        for place, name in enumerate(INPUTS):
            if row[name] is None:
                assert output[NUMERIC][place] == 0, name


def test_a_column_that_is_empty_in_every_row_is_the_mean(districts, tmp_path):
    rows = [{**row, "NOX": None, "RAD": None} for row in districts[:20]]
    numbers = np.array([row[NUMERIC] for row in transformed(USE_CASE, rows, rows, tmp_path)])
    assert np.isfinite(numbers).all()
    assert not numbers[:, [INPUTS.index("NOX"), INPUTS.index("RAD")]].any()
