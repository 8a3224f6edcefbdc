"""``sluiceway use-cases`` lists what there is."""

from __future__ import annotations

import json

from click.testing import CliRunner

from configs.errors import ConfigError
from configs.load import load_settings
from pipeline.cli.use_cases import use_cases
from pipeline.use_cases import USE_CASES


def test_each_is_one_line_with_task_rows_and_what_it_is_for(tmp_path):
    lines = CliRunner().invoke(use_cases, ["--set", f"state={tmp_path}"]).output.splitlines()
    assert [line.split()[0] for line in lines] == sorted(USE_CASES)
    taxi = next(line for line in lines if line.startswith("taxi "))
    assert "binary_classification" in taxi
    assert "15,002 real trips" in taxi
    assert "will the tip of a trip exceed 20 % of the fare?" in taxi


def test_json_says_that_nothing_is_live_yet(tmp_path):
    rows = json.loads(CliRunner().invoke(use_cases, ["--json", "--set", f"state={tmp_path}"]).output)["use_cases"]
    assert {row["name"] for row in rows} == set(USE_CASES)
    assert all(row["live"] is None for row in rows)


def test_one_that_is_broken_does_not_hide_the_others(tmp_path, monkeypatch):
    def load(name, *more):
        if name == "taxi":
            raise ConfigError("configs/use_cases/taxi.yaml: not valid YAML")
        return load_settings(name, *more)

    monkeypatch.setattr("configs.load.load_settings", load)
    shown = json.loads(CliRunner().invoke(use_cases, ["--json", "--set", f"state={tmp_path}"]).output)
    assert {row["name"] for row in shown["use_cases"]} == set(USE_CASES) - {"taxi"}
    assert shown["problems"] == {"taxi": "configs/use_cases/taxi.yaml: not valid YAML"}
    assert "sluiceway: configs/use_cases/taxi.yaml: not valid YAML" in CliRunner().invoke(use_cases, ["--set", f"state={tmp_path}"]).output
