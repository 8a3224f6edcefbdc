"""Every use case has the one shape; its hyperparameters may be changed and nothing else."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.example_gen.columns import read_columns
from configs.errors import ConfigError, UsageError
from configs.load import load_settings, names
from pipeline.metrics import check_thresholds
from pipeline.tasks.base import load_task
from pipeline.use_cases import USE_CASES
from pipeline.use_cases.base import UseCase, get_use_case


@pytest.fixture
def use_case():
    """A use case of any kind: only its hyperparameters matter here."""
    return UseCase(
        name="any",
        package="pipeline.use_cases.taxi",
        rows="none",
        task="binary_classification",
        raw_label="tips",
        label="big",
        source_name="",
        preprocessing_name="",
        build_model_name="",
        search_space_name="",
        classes=("no", "yes"),
        slices=(),
        golden_name="",
        choices={"kind": ("adam", "sgd")},
        hparams={"rate": 0.1, "units": [64, 32], "layers": 2, "wide": False, "kind": "adam"},
    )


def test_without_configuration_the_defaults_count(use_case):
    assert use_case.merged_hparams({}) == use_case.hparams


@pytest.mark.parametrize(
    "configured",
    [{"rate": 0.5}, {"rate": 1}, {"units": []}, {"layers": 0}, {"wide": True}, {"kind": "sgd"}, {"rate": 0.2, "layers": 3}],
)
def test_configured_values_stand_over_the_defaults(use_case, configured):
    assert use_case.merged_hparams(configured) == {**use_case.hparams, **configured}
    assert use_case.hparams["layers"] == 2


@pytest.mark.parametrize(
    ("configured", "line"),
    [
        ({"rat": 0.5}, "hparams.rat: unknown key; allowed: kind, layers, rate, units, wide"),
        ({"rate": "0.5"}, "hparams.rate: '0.5' is not of type float, as 0.1 is"),
        ({"rate": True}, "hparams.rate: True is not of type float, as 0.1 is"),
        ({"rate": None}, "hparams.rate: None is not of type float, as 0.1 is"),
        ({"layers": 2.0}, "hparams.layers: 2.0 is not of type int, as 2 is"),
        ({"layers": True}, "hparams.layers: True is not of type int, as 2 is"),
        ({"wide": 1}, "hparams.wide: 1 is not of type bool, as False is"),
        ({"units": 64}, "hparams.units: 64 is not of type list, as [64, 32] is"),
        ({"kind": ["adam"]}, "hparams.kind: ['adam'] is not of type str, as 'adam' is"),
        ({"kind": "lion"}, "hparams.kind: 'lion' is none of adam, sgd"),
    ],
)
def test_a_wrong_hyperparameter_is_one_line(use_case, configured, line):
    with pytest.raises(ConfigError) as caught:
        use_case.merged_hparams(configured)
    assert str(caught.value) == line


def test_an_unknown_use_case_tells_which_there_are():
    with pytest.raises(UsageError, match=f"no use case 'moon'; there are: {', '.join(sorted(USE_CASES))}"):
        get_use_case("moon")


def test_every_use_case_is_configured_and_every_configuration_has_one():
    assert sorted(USE_CASES) == names("use_cases")


@pytest.mark.parametrize("name", USE_CASES)
def test_a_use_case_fits_its_schema_and_its_configuration(name):
    found, settings = get_use_case(name), load_settings(name)
    columns = read_columns(found.schema_path)
    assert found.name == name
    load_task(found.task).check_classes(found.classes)
    assert found.raw_label in columns
    assert {column for keys in found.slices for column in keys} <= set(columns)
    assert found.merged_hparams(settings.use_case.hparams)
    assert all(found.hparams[key] in allowed for key, allowed in found.choices.items())
    check_thresholds(found.task, settings.use_case)


def schema_of(found: UseCase) -> schema_pb2.Schema:
    return text_format.Parse(found.schema_path.read_text(encoding="utf-8"), schema_pb2.Schema())


@pytest.mark.parametrize("name", USE_CASES)
def test_golden_rows_are_the_schemas_columns_less_the_label(name):
    found = get_use_case(name)
    columns = read_columns(found.schema_path, serving=True)
    assert found.raw_label not in columns
    kinds = {"FLOAT": (int, float), "INT": (int,), "BYTES": (str, bytes)}
    rows = found.golden_rows()
    assert len(rows) >= 2
    for row in rows:
        assert set(row) == set(columns)
        for column, value in row.items():
            assert value is None or isinstance(value, kinds[columns[column]]), f"{column}: {value!r}"
    optional = [feature.name for feature in schema_of(found).feature if feature.name in columns and feature.presence.min_fraction < 1]
    assert not optional or any(value is None for row in rows for value in row.values()), "no golden row has a missing value"


@pytest.mark.parametrize("name", USE_CASES)
def test_the_modules_a_use_case_names_are_there(name):
    found = get_use_case(name)
    dotted = [value for field, value in vars(found).items() if field.endswith("_name") and value]
    assert len(dotted) >= 5
    for each in dotted:
        module, _, attribute = each.rpartition(".")
        # Read and not imported: models and preprocessing stand on TensorFlow.
        source = Path(str(importlib.util.find_spec(module).origin))
        defined = [node for node in ast.parse(source.read_text(encoding="utf-8")).body if not isinstance(node, ast.Expr)]
        names_of = {getattr(node, "name", None) or ast.unparse(getattr(node, "target", node)).partition(" ")[0] for node in defined}
        assert attribute in names_of, each
