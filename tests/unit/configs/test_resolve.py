"""The rules of overrides, and how a wrong value is told."""

from __future__ import annotations

import contextlib
import copy
import functools
import operator

import msgspec
import pytest

from configs.environment import EnvironmentConfig
from configs.errors import ConfigError
from configs.resolve import apply_override, explain, parse_override, settled
from configs.schema import UseCaseConfig


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a=1", ["a"], 1),
        ("a.b.c=x", ["a", "b", "c"], "x"),
        ("a=", ["a"], None),
        (" a = 1 ", ["a"], 1),
        ("a=b=c", ["a"], "b=c"),
        ("a=[1, 2]", ["a"], [1, 2]),
        ("a=1e-5", ["a"], 1e-5),
        ("a=2024-13-45", ["a"], "2024-13-45"),
    ],
)
def test_an_override_is_a_path_and_a_value(text, path, value):
    assert parse_override(text) == (path, value)


@pytest.mark.parametrize("text", ["", "a", "=1", ".=1", "a.=1", "a..b=1", "  =1"])
def test_what_is_no_override_is_told_with_an_example(text):
    with pytest.raises(ConfigError, match=r"expected key=value, for example --set thresholds\.auc=0\.7") as caught:
        parse_override(text)
    assert str(caught.value).startswith(f"--set {text}: ")


@pytest.mark.parametrize("text", ["a=[1", "a={b: 1, b: 2}", "a=!!python/name:os.system"])
def test_a_value_that_is_no_yaml_is_told_in_one_line(text):
    with pytest.raises(ConfigError, match="is not a YAML value") as caught:
        parse_override(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tree", "path", "after"),
    [
        ({}, ["a"], {"a": 7}),
        ({"a": 1}, ["a"], {"a": 7}),
        ({"a": {"b": 1, "c": 2}}, ["a", "b"], {"a": {"b": 7, "c": 2}}),
        ({"x": 1}, ["a", "b", "c"], {"x": 1, "a": {"b": {"c": 7}}}),
    ],
)
def test_an_override_changes_one_value(tree, path, after):
    apply_override(tree, path, 7, "text")
    assert tree == after


def test_a_value_has_no_keys_to_override():
    with pytest.raises(ConfigError, match=r"--set a\.b\.c=7: a\.b is a value, it has no key 'c'"):
        apply_override({"a": {"b": 1}}, ["a", "b", "c"], 7, "a.b.c=7")


def told(shape, tree, overridden=()):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(tree, shape)
    return explain(shape, tree, str(caught.value), "the.yaml", overridden)


SECTION = "a section with keys of its own"
CORES = "a number of cores as Kubernetes writes it, like 500m or 2"
VOLUME = {"claim": "c", "path": "/p"}
RETRIES = "kubeflow.steps.Trainer.retries: 11 is not between 0 and 10"
EVALUATOR_ARGS = "beam.nodes.Evaluator: ['--x', 1] is not a list in which each is a text"


def kubeflow(**section):
    return {"kubeflow": section}


GOOD = {"thresholds": {"auc": 0.8}}


@pytest.mark.parametrize(
    ("shape", "tree", "line"),
    [
        (UseCaseConfig, {}, "thresholds: missing; it has no default"),
        (UseCaseConfig, {"thresholds": {"auc": 1.4}}, "thresholds.auc: 1.4 is not between 0 and 1"),
        (UseCaseConfig, {"thresholds": {"auc": float("nan")}}, "thresholds.auc: nan is not between 0 and 1"),
        (UseCaseConfig, {"thresholds": {"auc": "0.8"}}, "thresholds.auc: '0.8' is not a number between 0 and 1"),
        (UseCaseConfig, {"thresholds": {"auc": True}}, "thresholds.auc: True is not a number between 0 and 1"),
        (UseCaseConfig, {"thresholds": 3}, "thresholds: 3 is not a section with keys of its own"),
        (UseCaseConfig, {**GOOD, "infra": {"load_seconds": 0}}, "infra.load_seconds: 0 is not greater than 0 and at most 3600"),
        (UseCaseConfig, {**GOOD, "infra": {"tolerance": -1}}, "infra.tolerance: -1 is not between 0 and 1"),
        (UseCaseConfig, {**GOOD, "data": {"train_buckets": 1.5}}, "data.train_buckets: 1.5 is not a whole number at least 1"),
        (UseCaseConfig, {**GOOD, "data": {"train_buckets": 0}}, "data.train_buckets: 0 is not at least 1"),
        (UseCaseConfig, {**GOOD, "data": {"source": 7}}, "data.source: 7 is not a text"),
        (UseCaseConfig, {**GOOD, "tuner": {"enabled": 1}}, "tuner.enabled: 1 is not true or false"),
        (UseCaseConfig, {**GOOD, "budgets": {"smoke": {"epochs": 0}}}, "budgets.smoke.epochs: 0 is not at least 1"),
        (
            UseCaseConfig,
            {**GOOD, "budgets": {"smoke": {"epoch": 1}}},
            "budgets.smoke.epoch: unknown key; allowed: batch_size, epochs, rows",
        ),
        (UseCaseConfig, {**GOOD, "hparams": 3}, "hparams: 3 is not a section"),
        (EnvironmentConfig, {"budget": "huge"}, "budget: 'huge' is not one of: full, smoke"),
        (EnvironmentConfig, {"beam": {"args": "--x"}}, "beam.args: '--x' is not a list"),
        (EnvironmentConfig, {"beam": {"args": ["--x", 1]}}, "beam.args: ['--x', 1] is not a list in which each is a text"),
        (EnvironmentConfig, {"beam": {"nodes": {"Transform": [], "Evaluator": ["--x", 1]}}}, EVALUATOR_ARGS),
        (EnvironmentConfig, {"beam": {"nodes": {"Transform": [], "Evaluator": 3}}}, "beam.nodes.Evaluator: 3 is not a list"),
        (EnvironmentConfig, kubeflow(steps=3), "kubeflow.steps: 3 is not a section"),
        (EnvironmentConfig, kubeflow(steps={"Pusher": {}, "Trainer": 3}), f"kubeflow.steps.Trainer: 3 is not {SECTION}"),
        (EnvironmentConfig, kubeflow(steps={"Pusher": {}, "Trainer": None}), f"kubeflow.steps.Trainer: is empty, not {SECTION}"),
        (EnvironmentConfig, kubeflow(steps={"Pusher": {"retries": 1}, "Trainer": {"retries": 11}}), RETRIES),
        (EnvironmentConfig, kubeflow(steps={"Trainer": {"cpu": 8}}), f"kubeflow.steps.Trainer.cpu: 8 is not {CORES}"),
        (
            EnvironmentConfig,
            kubeflow(steps={"A.b": {}, "Trainer": {"node_selector": {"a/b.c": "x", "d": True}}}),
            "kubeflow.steps.Trainer.node_selector.d: True is not a text",
        ),
        (EnvironmentConfig, kubeflow(volumes={"claim": "c"}), "kubeflow.volumes: {'claim': 'c'} is not a list"),
        (EnvironmentConfig, kubeflow(volumes=[3]), f"kubeflow.volumes[0]: 3 is not {SECTION}"),
        (EnvironmentConfig, kubeflow(volumes=[VOLUME, {"claim": "c"}]), "kubeflow.volumes[1].path: missing; it has no default"),
        (EnvironmentConfig, kubeflow(volumes=[VOLUME, {**VOLUME, "x": 1}]), "kubeflow.volumes[1].x: unknown key; allowed: claim, path"),
        (EnvironmentConfig, kubeflow(volumes=[{**VOLUME, "claim": ""}]), "kubeflow.volumes[0].claim: is empty, not a text"),
        (EnvironmentConfig, kubeflow(secrets=[{"name": "s", "keys": {"a": "A", "b": 1}}]), "kubeflow.secrets[0].keys.b: 1 is not a text"),
        (EnvironmentConfig, kubeflow(secrets=[{"name": "s", "keys": ["a"]}]), "kubeflow.secrets[0].keys: ['a'] is not a section"),
        (EnvironmentConfig, kubeflow(env={"A": "x", "B": 1}), "kubeflow.env.B: 1 is not a text"),
        (EnvironmentConfig, kubeflow(env={1: "x"}), "kubeflow.env: the key 1 is not a text; put it in quotes"),
        (EnvironmentConfig, {True: 1}, "the file: the key True is not a text; put it in quotes"),
        (
            EnvironmentConfig,
            {"launchers": {"docker": {"images": ["a b"]}}},
            "launchers.docker.images: ['a b'] is not a list in which each is an image's name like registry.example/team/pipeline:1.0",
        ),
        (EnvironmentConfig, {"server": {"rest_port": 70000}}, "server.rest_port: 70000 is not between 0 and 65535"),
        (
            EnvironmentConfig,
            {"server": {"port": 1}},
            "server.port: unknown key; allowed: grpc_port, host, poll_seconds, rest_port",
        ),
    ],
)
def test_a_wrong_value_is_one_line_with_key_value_and_what_is_allowed(shape, tree, line):
    assert told(shape, tree) == f"the.yaml: {line}"


@pytest.mark.parametrize(
    ("overridden", "source"),
    [
        (["thresholds.auc"], "--set "),
        (["thresholds"], "--set "),
        (["thresholds.auc.deeper"], "--set "),
        (["thresholds.accuracy"], "the.yaml: "),
        (["thresholds.au"], "the.yaml: "),
        ([], "the.yaml: "),
    ],
)
def test_the_line_says_whether_file_or_override_was_wrong(overridden, source):
    assert told(UseCaseConfig, {"thresholds": {"auc": 2}}, overridden) == f"{source}thresholds.auc: 2 is not between 0 and 1"


@pytest.mark.parametrize(
    ("overridden", "source"),
    [(["kubeflow.volumes"], "--set "), (["kubeflow"], "--set "), (["kubeflow.volume"], "the.yaml: "), (["kubeflow.env"], "the.yaml: ")],
)
def test_a_place_in_a_list_belongs_to_the_list_that_was_overridden(overridden, source):
    assert told(EnvironmentConfig, kubeflow(volumes=[{"claim": "c"}]), overridden).startswith(f"{source}kubeflow.volumes[0].path: missing")


def test_a_list_is_given_whole():
    with pytest.raises(ConfigError, match=r"kubeflow\.volumes is a value, it has no key '0'; give the whole list"):
        apply_override(kubeflow(volumes=[VOLUME]), ["kubeflow", "volumes", "0", "claim"], "x", "kubeflow.volumes.0.claim=x")


def test_an_unquoted_number_is_a_text_where_cores_are_wanted_and_nowhere_else():
    tree = kubeflow(
        step={"cpu": 8, "memory": 8}, steps={"Trainer": {"cpu": 0.5}}, env={"A": 1}, volumes=[{"claim": 1}], unknown=[{"cpu": 8}]
    )
    after = kubeflow(step={"cpu": "8", "memory": 8}, steps={"Trainer": {"cpu": "0.5"}}, env={"A": 1}, volumes=[{"claim": 1}])
    after["kubeflow"]["unknown"] = [{"cpu": 8}]
    assert settled(EnvironmentConfig, tree) == after
    assert tree["kubeflow"]["step"]["cpu"] == 8


def test_an_unquoted_number_is_a_text_where_a_class_is_written():
    tree = {"data": {"classes": {0: "cbb", "1": "cgm", True: "x"}, "columns": {2: "y"}}}
    assert settled(UseCaseConfig, tree) == {"data": {"classes": {"0": "cbb", "1": "cgm", True: "x"}, "columns": {2: "y"}}}


FULL = {
    "kubeflow": {
        "step": {"cpu": "1", "node_selector": {"pool": "gpu"}},
        "steps": {"Pusher": {"cpu": "1"}, "Trainer": {"cpu": "2", "node_selector": {"a/b.c": "x"}}},
        "env": {"A": "x"},
        "secrets": [{"name": "s", "keys": {"a": "A"}}],
        "volumes": [VOLUME, {"claim": "d", "path": "/d"}],
    },
    "beam": {"args": ["--x"], "nodes": {"Transform": ["--x"]}},
    "launchers": {"docker": {"images": ["a:1"]}},
}


def places(tree, way=()):
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield (*way, key)
        yield from places(value, (*way, key))


@pytest.mark.parametrize("wrong", [None, True, 3, -0.5, "", "a b", [], [3], [None], {}, {1: 2}, {"x": {}}, {"x": [{}]}], ids=repr)
def test_no_wrong_value_at_any_place_is_more_than_a_line_with_its_key(wrong):
    for way in places(FULL):
        tree = copy.deepcopy(FULL)
        functools.reduce(operator.getitem, way[:-1], tree)[way[-1]] = wrong
        with contextlib.suppress(msgspec.ValidationError):
            msgspec.convert(tree, EnvironmentConfig)
            continue
        line = told(EnvironmentConfig, tree)
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in way)[1:]
        # Of a list of plain values the key is the list's.
        assert line.startswith((f"the.yaml: {key}", f"the.yaml: {key.removesuffix('[0]')}: ")), line
        assert "\n" not in line
        assert ".*" not in line
