"""What a schedule's settings are held against before it is made."""

from __future__ import annotations

import pytest

from configs.errors import ConfigError, UsageError
from configs.load import load_settings
from pipeline.cli.schedule_check import check_settings


def taxi(*overrides, environment="local"):
    return load_settings("taxi", environment, overrides)


@pytest.mark.parametrize("kind", ["local", "kubernetes", "kubeflow"])
def test_settings_that_hold_are_no_word(kind):
    assert check_settings(taxi(environment="local" if kind == "local" else "kubeflow"), kind) == ""


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("thresholds.nothing=0.5", "thresholds.nothing"),
        ("hparams.nothing=1", "hparams.nothing"),
        ("launcher=kubernetes", "launchers.kubernetes.claim"),
        ("beam.nodes={Nothing: [--a=1]}", "Nothing"),
    ],
)
def test_what_a_run_would_refuse_is_refused(override, told):
    with pytest.raises(UsageError, match=told):
        check_settings(taxi(override), "local")


@pytest.mark.parametrize("override", ["store.path=/elsewhere", "store.path=null", "kubeflow.volumes=[]"])
def test_a_store_on_no_volume_is_refused_on_kubernetes(override):
    with pytest.raises(ConfigError, match=r"store\.path"):
        check_settings(taxi(override, environment="kubeflow"), "kubernetes")


def test_data_that_is_not_there_is_a_remark_and_only_where_it_would_be(tmp_path):
    settings = taxi(f"data.source={tmp_path}/*.csv")
    assert "a run fails until it is there" in check_settings(settings, "local")
    (tmp_path / "a.csv").touch()
    assert check_settings(settings, "local") == ""
    assert check_settings(taxi("data.source=s3://bucket/trips"), "local") == ""
    assert check_settings(taxi("data.source=/nowhere/*.csv", environment="kubeflow"), "kubernetes") == ""
