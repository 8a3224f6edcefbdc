"""``schedule``: what each verb says, and that it may be repeated."""

from __future__ import annotations

import json
import shlex
import sys
from datetime import datetime

import pytest
import yaml

from pipeline.cli.main import cli
from pipeline.cli.schedule import schedule
from pipeline.schedule.book import Book
from serving.cli_frame import run_command


@pytest.fixture
def call(tmp_path, capfd):
    """Runs a verb in a state folder of its own: (exit code, stdout, stderr)."""

    def run(text, *, state=tmp_path / "state"):
        with pytest.raises(SystemExit) as caught:
            run_command(cli, ["schedule", *shlex.split(text), "--set", f"state={state}"])
        return caught.value.code, *capfd.readouterr()

    return run


SET = "set taxi --cron '0 3 * * *' --timezone Europe/Berlin"


def test_set_says_what_was_done_when_it_runs_and_what_to_do_next(call, tmp_path):
    code, out, err = call(SET)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == "CREATED schedule taxi: taxi runs at '0 3 * * *' (Europe/Berlin)"
    at = datetime.fromisoformat(lines[1].removeprefix("next run "))
    assert (at.hour, at.tzname()) in {(3, "UTC+01:00"), (3, "UTC+02:00")}
    assert lines[2].startswith(f"next sluiceway schedule start --env local --set state={tmp_path / 'state'} ")


def test_set_is_in_place(call):
    assert call(SET)[1].startswith("CREATED")
    assert call(SET)[1].startswith("UNCHANGED")
    assert call(SET + " --trigger both --poll 5")[1].startswith(
        "UPDATED schedule taxi: taxi looks for new data every 5 minutes and runs at"
    )
    assert len(json.loads(call("list --json")[1])["schedules"]) == 1
    call(SET + " --name taxi-2")
    assert len(json.loads(call("list --json")[1])["schedules"]) == 2


def test_a_use_case_of_ones_own_is_kept_by_its_whole_path(call, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as caught:
        run_command(cli, ["init", "scheduled_model", "--like", "taxi"])
    assert caught.value.code == 0
    capfd.readouterr()
    kept = json.loads(call("set ./scheduled_model --cron '0 3 * * *' --json")[1])
    assert (kept["schedule"]["name"], kept["schedule"]["use_case"]) == ("scheduled-model", str(tmp_path / "scheduled_model"))
    assert call("render ./scheduled_model --cron '0 3 * * *'")[2].startswith(
        f"sluiceway: {tmp_path}/scheduled_model: no container has this"
    )


def test_set_prints_one_document(call):
    code, out, err = call(SET + " --set thresholds.auc=0.6 --jitter 5 --stop-after 2 --json")
    document = json.loads(out)
    assert (code, err, document["change"]) == (0, "", "created")
    kept = document["schedule"]
    assert (kept["cron"], kept["trigger"], kept["jitter_seconds"], kept["stop_after_failures"]) == ("0 3 * * *", "time", 5, 2)
    assert kept["overrides"][0] == "thresholds.auc=0.6"
    assert "thresholds" not in document["next"]  # `start` has no use case to set it of


def test_what_is_left_open_is_the_environments(call):
    kept = json.loads(call("set taxi --cron '0 3 * * *' --set schedule.timezone=Asia/Tokyo --set schedule.jitter_seconds=7 --json")[1])[
        "schedule"
    ]
    assert (kept["timezone"], kept["jitter_seconds"], kept["stop_after_failures"], kept["name"]) == ("Asia/Tokyo", 7, 3, "taxi")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("set taxi", "--cron"),
        ("set taxi --cron '0 3 * *'", "4 fields"),
        ("set taxi --cron '0 3 * * *' --timezone Mars", "time zone 'Mars'"),
        ("set taxi --cron '0 3 * * *' --name A_B", "schedule name 'A_B'"),
        ("set taxi --cron '0 3 * * *' --name ''", "schedule name ''"),
        ("set taxi --cron '0 3 * * *' --timezone ''", "time zone ''"),
        ("set taxi --cron '0 3 31 2 *'", "that date never comes"),
        ("set taxi --cron '0 3 * * *' --set thresholds.nothing=0.5", "thresholds.nothing"),
        ("set taxi --cron '0 3 * * *' --set hparams.nothing=1", "hparams.nothing"),
        ("set taxi --on kubernetes --cron '0 3 * * *'", "--set kubeflow.namespace=kubeflow"),
        ("list --on kubernetes", "--set kubeflow.namespace=kubeflow"),
        ("set taxi --on kubernetes --cron '0 3 * * *' --set store.path=/elsewhere", "lies on no volume"),
        ("render taxi --cron '0 3 * * *' --set store.path=/elsewhere", "lies on no volume"),
        ("render taxi --cron '0 3 * * *' --env local --set kubeflow.namespace=ml", "store.path"),
        ("set nothing --cron '0 3 * * *'", "no use case 'nothing'"),
        ("set taxi --cron '0 3 * * *' --env moon", "no environment 'moon'"),
        ("set taxi --cron '0 3 * * *' --set thresholds.auc=2", "thresholds.auc"),
        ("set taxi --cron '0 3 * * *' --jitter -1", "--jitter"),
        ("set taxi --cron '0 3 * * *' --on mars", "--on"),
        ("pause taxi", "no schedule 'taxi'"),
        ("run-now taxi", "no schedule 'taxi'"),
    ],
)
@pytest.mark.parametrize("flag", ["", " --json"])
def test_a_mistake_is_one_line_and_changes_nothing(call, tmp_path, arguments, told, flag):
    code, out, err = call(arguments + flag)
    assert code == 2
    assert told in err
    assert err.count("\n") == 1
    assert (json.loads(out)["error"]["exit_code"] == 2) if flag else out == ""
    assert list((tmp_path / "state").rglob("*.json")) == []


def test_the_other_verbs_may_be_repeated(call):
    call(SET)
    for verb, said in (("pause taxi", "PAUSED taxi\n"), ("resume taxi", "RESUMED taxi\n")):
        assert [call(verb)[:2] for _ in range(2)] == [(0, said)] * 2
    assert call("run-now taxi")[1].startswith("ASKED FOR taxi: will start with `sluiceway schedule start`")
    assert call("delete taxi --json")[1] == '{\n  "name": "taxi",\n  "deleted": true\n}\n'
    assert call("list")[1].startswith("no schedules")


def test_a_paused_schedule_is_told_as_that_also_by_set(call):
    call(SET)
    call("pause taxi")
    assert "paused: asked for; sluiceway schedule resume taxi" in call(SET)[1]
    out = call("list")[1]
    assert "paused" in out
    assert "why   asked for" in out
    assert "next " not in out


def test_a_folder_that_cannot_be_written_is_told(call, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, out, err = call(SET, state=tmp_path / "file")
    assert (code, out) == (2, "")
    assert "cannot be written: Not a directory" in err


@pytest.mark.parametrize("verb", schedule.commands)
def test_every_verb_has_help_with_an_example(call, verb):
    code, out, _ = call(f"{verb} --help")
    assert code == 0
    assert f"sluiceway schedule {verb}" in out.partition("Example:")[2]


def test_render_prints_what_a_cluster_would_get_and_asks_none(call, monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    code, out, _ = call("render taxi --cron '0 3 * * *' --set kubeflow.namespace=ml")
    assert code == 0
    document = yaml.safe_load(out)
    assert (document["kind"], document["metadata"]["name"], document["metadata"]["namespace"]) == ("CronJob", "taxi", "ml")
    arguments = document["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "--env kubeflow" in " ".join(arguments)
    assert "&id" not in out
    assert json.loads(call("render taxi --env kubeflow --cron '0 3 * * *' --set kubeflow.namespace=ml -o json")[1])["kind"] == "CronJob"


def test_a_cluster_that_is_not_there_is_told(call, monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    code, out, err = call("set taxi --on kubernetes --env kubeflow --cron '0 3 * * *' --set kubeflow.namespace=ml")
    assert (code, out) == (2, "")
    assert "no Kubernetes cluster is configured" in err


def test_data_that_is_not_there_yet_is_a_remark(call, tmp_path):
    code, out, err = call(f"{SET} --set data.source={tmp_path}/none.csv")
    assert (code, err) == (0, "")
    assert "remark: data" in out
    assert "there is no such file or folder; a run fails until it is there" in out
    assert "none.csv" in json.loads(call(f"{SET} --set data.source={tmp_path}/none.csv --json")[1])["remark"]
    assert json.loads(call(SET + " --json")[1])["remark"] == ""


def test_list_says_whether_a_scheduler_runs_here(call, tmp_path):
    warning = "no `sluiceway schedule start` runs in this state folder"
    call(SET)
    assert warning in call("list")[1]
    assert json.loads(call("list --json")[1])["scheduler_running"] is False
    with Book(tmp_path / "state" / "schedules").held():
        assert warning not in call("list")[1]
        assert json.loads(call("list --json")[1])["scheduler_running"] is True


def test_a_look_is_told_as_the_next_where_it_is(call):
    assert "\nnext look " in call(SET + " --trigger data")[1]
    assert "\n  next  look " in call("list")[1]
    assert json.loads(call("list --json")[1])["schedules"][0]["next_is_look"] is True


def test_what_is_not_given_is_the_default_again(call):
    call(SET + " --trigger both --poll 5 --stop-after 7")
    kept = json.loads(call("set taxi --cron '0 3 * * *' --json")[1])["schedule"]
    assert (kept["timezone"], kept["trigger"], kept["poll_minutes"], kept["stop_after_failures"]) == ("UTC", "time", 15, 3)


def test_no_verb_is_told_half(call):
    assert "..." not in call("--help")[1].partition("Commands:")[2]
