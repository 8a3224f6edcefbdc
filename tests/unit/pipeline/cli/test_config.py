"""``show`` and ``check``: configuration seen and tested, nothing changed."""

from __future__ import annotations

import json

import pytest
import yaml
from msgspec import convert

from configs.load import load_settings
from configs.schema import Settings
from pipeline.cli.main import cli
from serving.cli_frame import run_command
from tests.fakes.trips import write_trips


@pytest.fixture
def call(capsys):
    """Runs a command: (exit code, stdout, stderr)."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            run_command(cli, arguments)
        return caught.value.code, *capsys.readouterr()

    return run


def test_show_prints_what_counts_in_the_end(call):
    code, out, err = call("show", "taxi", "--env", "smoke", "--set", "thresholds.auc=0.7")
    assert (code, err) == (0, "")
    assert "# use case taxi: configs/use_cases/taxi.yaml" in out
    assert "# environment smoke: configs/environments/smoke.yaml" in out
    assert yaml.safe_load(out)["thresholds"]["auc"] == 0.7


def test_show_as_one_document_is_the_whole_configuration(call):
    out = call("show", "taxi", "--json", "--set", "cache=false")[1]
    assert convert(json.loads(out), Settings) == load_settings("taxi", "local", ["cache=false"])


def test_check_tells_what_it_looked_at_and_what_is_next(call, tmp_path):
    data = write_trips(tmp_path / "trips.csv")
    code, out, err = call("check", "taxi", "--data", str(data))
    assert (code, err) == (0, "")
    assert out.startswith("OK taxi: ")
    assert f"data: 1 file, 18 columns: {data}" in out
    assert out.endswith(f"next: sluiceway run taxi --data {data}\n")


def test_check_as_one_document(call, tmp_path):
    for name in ("a", "b"):
        write_trips(tmp_path / f"{name}.csv")
    code, out, _ = call("check", "taxi", "--json", "--data", str(tmp_path / "*.csv"))
    document = json.loads(out)
    assert (code, document["ok"]) == (0, True)
    assert document["files"] == [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    assert document["columns"]["fare"] == "FLOAT"
    assert document["fingerprint"].startswith("sha256:")


@pytest.mark.parametrize("name", ["2024", "2024-01-31", "it's.csv", "a: b.csv", "yes", "*"])
def test_a_path_is_a_text_whatever_it_looks_like(call, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_trips(tmp_path / name)
    assert json.loads(call("check", "taxi", "--json", "--data", name)[1])["files"] == [str(tmp_path / name)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "moon"), "no use case 'moon'"),
        (("show", "taxi", "--env", "moon"), "no environment 'moon'"),
        (("check", "taxi", "--data", "no-such.csv"), "data 'no-such.csv': there is no such file or folder"),
        (("check", "taxi", "--set", "thresholds.auc=2"), "--set thresholds.auc: 2 is not between 0 and 1"),
        (("check", "taxi", "--set", "hparams.x=2"), "hparams.x: unknown key"),
        (("check",), "Missing argument 'USE_CASE'"),
        (("check", "taxi", "--nope"), "No such option"),
    ],
)
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_what_is_wrong_ends_with_2_and_one_line(call, arguments, message, flags):
    code, out, err = call(*arguments, *flags)
    assert code == 2
    assert err.startswith(f"sluiceway: {message}")
    assert err.count("\n") == 1
    assert (json.loads(out)["error"]["message"].startswith(message)) if flags else out == ""


def test_a_check_changes_nothing(call, tmp_path):
    data = write_trips(tmp_path / "trips.csv")
    assert call("check", "taxi", "--data", str(data), "--set", f"state={tmp_path / 'state'}")[0] == 0
    assert sorted(tmp_path.iterdir()) == [data]
