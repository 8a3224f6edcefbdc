"""The chopsticks preprocessing on golden rows and synthetic rows, through Beam as in a run."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import pytest

from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.chopsticks.data import synthetic_rows
from pipeline.use_cases.chopsticks.features import CHOPSTICK_LENGTH, INDIVIDUAL, INDIVIDUALS, LABEL, LENGTH, RAW_LABEL
from tests.integration.pipeline.use_cases.analysed import transformed

USE_CASE = get_use_case("chopsticks")


@pytest.fixture(scope="module")
def tries() -> list[dict[str, Any]]:
    return [{RAW_LABEL: value, INDIVIDUAL: person, CHOPSTICK_LENGTH: float(length)} for value, person, length in synthetic_rows()]


@pytest.fixture(scope="module")
def outputs(tries, tmp_path_factory) -> list[dict[str, Any]]:
    """Analysed over the synthetic rows; what comes out is the golden rows, then the synthetic ones."""
    golden = [{**row, RAW_LABEL: None} for row in USE_CASE.golden_rows()]
    return transformed(USE_CASE, tries, [*golden, *tries], tmp_path_factory.mktemp("transform"))


@pytest.fixture(scope="module")
def golden(outputs) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return list(zip(USE_CASE.golden_rows(), outputs, strict=False))


def test_the_classes_are_terciles_in_their_order(outputs, tries):
    labels = [int(row[LABEL]) for row in outputs[-len(tries) :]]
    counts = collections.Counter(labels)
    assert set(counts) == set(range(len(USE_CASE.classes)))
    assert max(counts.values()) - min(counts.values()) < 0.03 * len(tries)
    by_class = [[row[RAW_LABEL] for row, label in zip(tries, labels, strict=True) if label == number] for number in range(3)]
    assert max(by_class[0]) < min(by_class[1]) <= max(by_class[1]) < min(by_class[2])


def test_each_person_has_a_place_of_their_own(outputs, tries):
    places = collections.defaultdict(set)
    for row, output in zip(tries, outputs[-len(tries) :], strict=True):
        places[row[INDIVIDUAL]].add(int(output[INDIVIDUAL]))
    assert all(len(each) == 1 for each in places.values())
    assert len(set.union(*places.values())) == len(places) == 31


def test_strangers_have_a_place_that_no_training_row_has(golden, outputs, tries):
    known = {int(output[INDIVIDUAL]) for output in outputs[-len(tries) :]}
    strangers = [int(output[INDIVIDUAL]) for row, output in golden if row[INDIVIDUAL] is None or not 1 <= row[INDIVIDUAL] <= 31]
    assert len(strangers) >= 5
    assert not known & set(strangers)
    assert all(0 <= place <= INDIVIDUALS for place in strangers)


def test_a_length_is_a_z_score_and_its_square(outputs, tries):
    lengths = np.array([output[LENGTH] for output in outputs[-len(tries) :]])
    np.testing.assert_allclose(lengths.mean(axis=0), [0, 1], atol=1e-4)
    np.testing.assert_allclose(lengths[:, 1], lengths[:, 0] ** 2, rtol=1e-5)


def test_a_missing_length_is_the_mean_of_both_and_an_absurd_one_is_cut_off(golden):
    for row, output in golden:
        assert np.isfinite(output[LENGTH]).all()
        assert np.abs(output[LENGTH][0]) < 6
        if row[CHOPSTICK_LENGTH] is None:
            assert output[LENGTH].tolist() == [0, 1]
