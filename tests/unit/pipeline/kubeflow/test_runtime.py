"""Overrides of a run are its parameters; the others make another pipeline."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from configs.load import load_settings
from pipeline.kubeflow.package import Package
from pipeline.kubeflow.runtime import split, values

ALL = Package("taxi", "", frozenset({"data", "store", "budget", "thresholds"}))


def test_what_a_run_is_given_is_no_part_of_the_pipeline():
    given = ["data.source='gs://x'", "store.path=/s", "budget=smoke", "thresholds.auc=0.9", "hparams.units=8", "kubeflow.image=a:1"]
    found = split(given)
    assert found.parameters == {"data", "store", "budget", "thresholds"}
    assert found.compiled == ("hparams.units=8", "kubeflow.image=a:1")


def test_who_asks_is_no_part_of_the_pipeline():
    asking = [f"kubeflow.{key}=x" for key in ("host", "namespace", "token_env", "experiment", "service_account", "timezone")]
    assert split(asking) == split([])


def test_parameters_have_the_effective_values():
    given = ["data.source='gs://x'", "budget=smoke", "thresholds.auc=0.91"]
    found = values(load_settings("taxi", "kubeflow", given), split(given).parameters, ALL)
    assert found["data"] == "gs://x"
    assert found["budget"] == "smoke"
    assert found["thresholds"]["auc"] == 0.91
    assert "store" not in found


def test_nothing_given_leaves_the_defaults():
    assert values(load_settings("taxi", "kubeflow"), split([]).parameters, ALL) == {}


def test_a_parameter_that_the_pipeline_does_not_take_is_refused():
    with pytest.raises(UsageError, match="takes no parameter 'budget'; it takes: data"):
        values(load_settings("taxi", "kubeflow"), frozenset({"budget"}), Package("taxi", "", frozenset({"data"})))
