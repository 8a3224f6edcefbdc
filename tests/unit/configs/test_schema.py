"""The shape of the configuration: frozen, closed, told."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from msgspec import inspect
from msgspec.structs import fields

from configs import deployment, environment, gateway, schema
from configs.environment import EnvironmentConfig
from configs.schema import Metrics, UseCaseConfig
from configs.section import Section

MODULES = (schema, environment, gateway, deployment)
SECTIONS = [
    kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Section) and kind.__module__ == module.__name__
]
# Fields whose name and type say it all.
OBVIOUS = {
    *(f"Metrics.{field.name}" for field in fields(Metrics)),
    "Tuner.enabled",
    "Server.host",
    "Server.rest_port",
    "Server.grpc_port",
    "UseCaseConfig.data",
    "UseCaseConfig.budgets",
    "UseCaseConfig.slices",
    "UseCaseConfig.tuner",
    "UseCaseConfig.infra",
    "EnvironmentConfig.runner",
    "EnvironmentConfig.budget",
    "EnvironmentConfig.store",
    "EnvironmentConfig.server",
    "EnvironmentConfig.launchers",
    "EnvironmentConfig.beam",
    "EnvironmentConfig.kubeflow",
    "EnvironmentConfig.schedule",
    "Launchers.binary",
    "Launchers.docker",
    "Launchers.kubernetes",
    "Store.kind",
    "Step.timeout_minutes",
    "SecretEnv.name",
    "Volume.claim",
    "Volume.path",
    "Kubeflow.experiment",
    "Kubeflow.secrets",
    "Kubeflow.volumes",
    "Settings.environment_name",
    "GatewayConfig.upstreams",
    "Arm.version",
    "Arm.label",
    "Shadow.version",
    "Shadow.label",
    "Settings.use_case",
    "Settings.environment",
}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_section_is_frozen_and_knows_its_keys(section):
    config = section.__struct_config__
    assert config.frozen
    assert config.forbid_unknown_fields


def test_every_knob_says_what_it_means():
    told, silent = set(), set()
    texts = [Path(module.__file__).read_text(encoding="utf-8") for module in MODULES]
    for node in [node for text in texts for node in ast.parse(text).body]:
        if not isinstance(node, ast.ClassDef):
            continue
        for line, following in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(line, ast.AnnAssign):
                documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
                (told if documented else silent).add(f"{node.name}.{ast.unparse(line.target)}")
    assert silent - OBVIOUS == set()
    assert OBVIOUS - silent == set(), "told by now: no longer in need of being obvious"
    assert len(told) > 15


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_number_has_a_bound(section):
    for field in inspect.type_info(section).fields:
        kinds = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        for kind in kinds:
            if isinstance(kind, inspect.IntType | inspect.FloatType):
                assert (kind.ge, kind.gt) != (None, None), f"{section.__name__}.{field.name}"


def test_given_names_the_metrics_with_a_limit():
    assert Metrics(auc=0.8, loss=0).given() == {"auc": 0.8, "loss": 0.0}
    assert Metrics().given() == {}


def test_what_and_where_share_no_key():
    shared = {field.name for field in fields(UseCaseConfig)} & {field.name for field in fields(EnvironmentConfig)}
    assert shared == set(), "an override could not tell which file is meant"
