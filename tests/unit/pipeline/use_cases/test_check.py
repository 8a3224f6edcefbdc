"""What does not hold together in a use case is found before a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.example_gen.columns import read_columns
from configs.errors import ConfigError
from configs.load import load_settings
from pipeline.use_cases import USE_CASES
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.check import check_use_case

TAXI = get_use_case("taxi")
COLUMNS = read_columns(TAXI.schema_path)


@pytest.mark.parametrize("name", sorted(USE_CASES))
def test_ours_hold_together(name):
    use_case = get_use_case(name)
    check_use_case(use_case, read_columns(use_case.schema_path), load_settings(name).use_case.hparams)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"classes": ("a", "b", "c")}, "binary_classification has two classes"),
        ({"classes": ("a", "a")}, "a name stands twice"),
        ({"task": "regression"}, "regression has no classes"),
        ({"task": "ranking"}, "no task 'ranking'; there are: "),
        ({"raw_label": "tipps"}, "raw_label: no such column 'tipps'; the schema has: "),
        ({"slices": (("hour",),)}, "slices: no such column 'hour'"),
        (
            {"build_model_name": "pipeline.use_cases.taxi.model.build"},
            "build_model_name: there is no 'pipeline.use_cases.taxi.model.build'",
        ),
        ({"source_name": "pipeline.nowhere.data.source"}, "source_name: there is no 'pipeline.nowhere.data.source'"),
        ({"golden_name": ""}, "golden_name: there is no 'name'"),
        ({"check_name": "keras.nothing_of_that_name"}, "check_name: there is no 'keras.nothing_of_that_name'"),
    ],
)
def test_a_part_that_does_not_fit_is_one_line(changed, line):
    with pytest.raises(ConfigError) as caught:
        check_use_case(replace(TAXI, **changed), COLUMNS, {})
    assert line in str(caught.value)
    assert str(caught.value).startswith(str(TAXI.folder / "__init__.py"))


def test_a_column_without_a_type_is_named():
    with pytest.raises(ConfigError, match=r"schema\.pbtxt: fare has the type TYPE_UNKNOWN; allowed: FLOAT, INT, BYTES"):
        check_use_case(TAXI, {**COLUMNS, "fare": "TYPE_UNKNOWN"}, {})


@pytest.mark.parametrize(
    ("name", "configured", "line"),
    [
        ("taxi", {"dropout": 1.5}, "hparams.dropout: 1.5 is not between 0 and 0.9"),
        ("taxi", {"hidden_units": [64, -1]}, "hparams.hidden_units: -1 is not between 1 and 4096"),
        ("taxi", {"learning_rate": -1}, "hparams.learning_rate: -1 is not between 1e-07 and 1"),
    ],
)
def test_a_hyperparameter_that_no_model_takes_is_one_line(name, configured, line):
    use_case = get_use_case(name)
    with pytest.raises(ConfigError) as caught:
        check_use_case(use_case, read_columns(use_case.schema_path), configured)
    assert str(caught.value) == line


@pytest.mark.parametrize("name", sorted(USE_CASES))
def test_every_number_among_the_hyperparameters_has_bounds(name):
    use_case = get_use_case(name)
    numbers = {key for key, value in use_case.hparams.items() if isinstance(value, int | float | list)}
    assert set(use_case.bounds) == numbers
    assert set(use_case.files) <= set(use_case.hparams)
