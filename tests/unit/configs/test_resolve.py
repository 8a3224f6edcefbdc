"""The rules of overrides, and how a wrong value is told."""

from __future__ import annotations

import msgspec
import pytest

from configs.environment import EnvironmentConfig
from configs.errors import ConfigError
from configs.resolve import apply_override, explain, parse_override
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
