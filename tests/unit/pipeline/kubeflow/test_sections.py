"""Each step is given what it reads and nothing else: a cache that knows content depends on it."""

from __future__ import annotations

import itertools
import json

import msgspec
import pytest

from configs.errors import ConfigError
from configs.load import load_settings
from pipeline.kubeflow.sections import PARAMETERS, PLANNED, check_environment, check_rows, overrides
from pipeline.nodes import NEVER_CACHED, NODES


def given(step, *changes):
    pairs = (text.partition("=") for text in overrides(load_settings("taxi", "kubeflow", changes), step))
    return {key: json.loads(value) for key, _, value in pairs}


def test_the_trainer_does_not_see_limits_and_the_evaluator_does_not_see_layers():
    assert set(given("Trainer")) == {"data", "hparams", "budgets", "tuner", "state"}
    assert set(given("Evaluator")) == {"change", "slices", "beam", "state"}
    assert given("Trainer") == given("Trainer", "change.auc=0.5", "infra.tolerance=0.1")
    assert given("Trainer") != given("Trainer", "hparams.dropout=0.5")


def test_what_a_run_may_choose_is_compiled_into_no_step():
    settings = load_settings("taxi", "kubeflow")
    for step in (*NODES, "plan", "refused", "prove"):
        keys = {text.partition("=")[0] for text in overrides(settings, step)}
        assert keys.isdisjoint({"thresholds", "budget", "store"}), step
    assert "source" not in given("ExampleGen")["data"]


def test_only_the_chosen_launcher_is_told():
    assert set(given("InfraValidator")["launchers"]) == {"binary"}
    assert given("InfraValidator", "launcher=embedded")["launchers"] == {}
    assert given("InfraValidator", "launchers.docker.images=[a]") == given("InfraValidator")


def test_overrides_read_back_as_what_they_say():
    settings = load_settings("taxi", "kubeflow", ["hparams.dropout=0.25", "data.eval_buckets=3"])
    again = load_settings("taxi", "kubeflow", overrides(settings, "plan"))
    assert again.use_case == settings.use_case


def test_letters_of_any_language_read_back():
    settings = load_settings("taxi", "kubeflow", ['state=/tmp/"é\\😀'])
    again = load_settings("taxi", "kubeflow", overrides(settings, "plan"))
    assert again.environment.state == settings.environment.state


def test_rows_are_read_anew_when_the_schema_that_names_their_columns_changed():
    assert set(PLANNED["ExampleGen"]) >= {"data_digest", "code"}


@pytest.mark.parametrize(
    "chain",
    [("ExampleGen", "StatisticsGen", "ExampleValidator"), ("ExampleGen", "Transform", "Tuner", "Trainer"), ("Schema", "ExampleValidator")],
)
def test_what_decides_a_step_decides_those_that_read_its_outputs(chain):
    """Where KFP knows an input by its name alone, a step's own key has to tell that what comes in is another."""
    for before, after in itertools.pairwise(chain):
        for table in (PARAMETERS, PLANNED):
            assert set(table.get(before, ())) - {"data"} <= set(table.get(after, ())), f"{before} -> {after}"
        assert set(given(before)) - {"beam"} <= set(given(after)), f"{before} -> {after}"


def test_steps_that_look_at_the_store_get_it_and_cached_ones_get_no_run():
    assert {name for name, read in PARAMETERS.items() if "store" in read} >= NEVER_CACHED - {"InfraValidator"}
    assert "fingerprint" not in {value for name, values in PLANNED.items() if name not in NEVER_CACHED for value in values}


def test_the_shipped_environment_can_work():
    assert check_environment(load_settings("taxi", "kubeflow")) == "/sluiceway/store"


@pytest.mark.parametrize(
    ("change", "saying"),
    [
        ("store.path=null", r"^kubeflow: store.path is not set; steps need one on a volume \(--set store.path=/sluiceway/store\)$"),
        ("store.path=store", "store.path: 'store' is not an absolute path"),
        ("store.path=/elsewhere", r"/elsewhere lies on no volume of kubeflow.volumes \(/sluiceway\)"),
        ("store.path=/sluicewayside", "lies on no volume"),
        ("kubeflow.volumes=[]", r"lies on no volume of kubeflow.volumes \(none\)"),
        ("launcher=docker", "a step has no Docker engine"),
        ("launcher=kubernetes", r"state: /tmp/sluiceway does not lie below launchers.kubernetes.mount \(/sluiceway\)"),
        ("kubeflow.steps.Nope.cpu=2", "kubeflow.steps.Nope: no such step; allowed: ExampleGen"),
        ("kubeflow.steps={Moon: {cpu: '1'}}", "kubeflow.steps.Moon: no such step; allowed: ExampleGen"),
    ],
)
def test_a_configuration_that_would_lose_versions_is_refused(change, saying):
    with pytest.raises(ConfigError, match=saying):
        check_environment(load_settings("taxi", "kubeflow", [change]))


@pytest.mark.parametrize(
    ("changes", "saying"),
    [
        ((), "data.source is not set, and Dataflow's workers"),
        (("data.source=/rows/trips.csv",), "data.source '/rows/trips.csv' is no gs:// place, and Dataflow's workers"),
        (("data.source=s3://b/t",), "data.source 's3://b/t' is no gs:// place"),
    ],
)
def test_rows_that_dataflow_does_not_see_are_refused(changes, saying):
    with pytest.raises(ConfigError, match=f"^{saying}"):
        check_rows(load_settings("taxi", "dataflow", changes))


def test_rows_are_where_the_engine_that_reads_them_sees_them():
    check_rows(load_settings("taxi", "dataflow", ["data.source=gs://b/trips"]))
    check_rows(load_settings("taxi", "dataflow", ["beam.nodes={ExampleGen: [], Evaluator: []}"]))
    check_rows(load_settings("taxi", "kubeflow"))


def test_a_use_case_in_no_image_is_refused(tmp_path):
    settings = msgspec.structs.replace(load_settings("taxi", "kubeflow"), folder=str(tmp_path / "mine"))
    with pytest.raises(ConfigError, match=f"^{tmp_path}/mine: no container has this folder; "):
        check_environment(settings)
