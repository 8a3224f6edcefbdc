"""One run: checked before anything is written, alone in its folder, and told as what it came to."""

from __future__ import annotations

import errno
import json
import sys

import pytest

from configs.errors import ConfigError, ExitCode, SluicewayError, UsageError
from pipeline import run as module
from pipeline.errors import NodeFailed, RunUnderWay
from pipeline.guards import alone
from pipeline.layout import Layout
from pipeline.nodes import node_names
from pipeline.run import check, execute, expected_seconds, plan
from pipeline.runners.base import NodeEvent, Outcome
from serving.errors import LaunchError
from serving.verdict import Reason, Verdict

REFUSAL = Verdict("evaluator", (Reason("threshold", "auc 0.5 < 0.8", 0.5, 0.8),))


def never(*_):
    raise AssertionError("there is nothing to prove")


def ignore(*_):
    pass


def test_a_check_finds_what_fits_and_writes_nothing(settings, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    checked = check(settings())
    assert checked.use_case.name == "taxi"
    assert [path.name for path in checked.source.files] == ["trips.csv"]
    assert checked.columns["fare"] == "FLOAT"
    assert plan(checked).fingerprint.startswith("sha256:")
    assert sorted(tmp_path.rglob("*")) == before


def test_without_a_source_the_rows_that_ship_are_taken(settings):
    assert check(settings("data.source=null")).source.files[0].name == "data.csv"


@pytest.mark.parametrize(
    ("override", "error", "message"),
    [
        ("hparams.dropuot=0.1", ConfigError, "hparams.dropuot: unknown key"),
        ("hparams.dropout=high", ConfigError, "hparams.dropout: 'high' is not of type float"),
        ("thresholds={}", ConfigError, "thresholds: at least one is needed"),
        ("thresholds.rmse=1", ConfigError, "thresholds.rmse: not a metric of binary_classification"),
        ("data.source=no-such-file.csv", UsageError, "there is no such file"),
        ("launcher=kubernetes", UsageError, r"launchers\.kubernetes\.claim: null"),
    ],
)
def test_what_does_not_fit_is_the_callers_mistake(settings, override, error, message):
    with pytest.raises(error, match=message) as caught:
        check(settings(override))
    assert caught.value.exit_code == ExitCode.USAGE


def test_checking_and_planning_import_no_tfx(settings):
    before = set(sys.modules)
    plan(check(settings()))
    assert not {name.partition(".")[0] for name in set(sys.modules) - before} & {"tfx", "tensorflow", "apache_beam"}


def test_a_launcher_that_cannot_launch_fails_the_run_before_any_node(settings):
    result = execute(plan(check(settings("launcher=binary", "launchers.binary.path=no_such_server"))), never, never)
    assert (result.verdict, result.exit_code) == ("failed", ExitCode.FAILURE)
    assert result.reasons[0].message.startswith("no_such_server: no such program")


def test_every_plan_has_a_run_of_its_own_and_the_same_identity(settings):
    one, other = (plan(check(settings())) for _ in range(2))
    assert one.run_id != other.run_id
    assert (one.fingerprint, one.code) == (other.fingerprint, other.code)
    assert one.folder.parent == one.checked.layout.runs


def test_the_data_decides_the_fingerprint(settings, planned, tmp_path):
    with (tmp_path / "trips.csv").open("a", encoding="utf-8") as file:
        file.write((tmp_path / "trips.csv").read_text(encoding="utf-8").splitlines()[1] + "\n")
    assert plan(check(settings())).fingerprint != planned.fingerprint


def test_with_the_same_fingerprint_nothing_is_new(planned, published, nodes_that):
    called = nodes_that(never)
    version = published(planned.fingerprint)
    result = execute(planned, never, never)
    assert (result.verdict, result.version, result.champion) == ("unchanged", version.number, version.number)
    assert result.metrics == {"auc": 0.9}
    assert {(node.name, node.state) for node in result.nodes} == {(name, "cached") for name in node_names(tuner=False)}
    assert called == []


@pytest.mark.parametrize("overrides", [["cache=false"], ["thresholds.auc=0.1"]])
def test_without_cache_or_with_another_fingerprint_the_nodes_run(settings, planned, published, nodes_that, overrides):
    published(planned.fingerprint)
    called = nodes_that(lambda _: Outcome(None, "unchanged", 1, {}))
    assert execute(plan(check(settings(*overrides))), ignore, never).verdict == "unchanged"
    assert len(called) == 1


def test_what_is_live_and_damaged_is_not_called_unchanged(planned, published, nodes_that):
    version = published(planned.fingerprint)
    (version.path / "saved_model.pb").write_bytes(b"tampered")
    called = nodes_that(lambda _: Outcome(None, "publish", published(planned.fingerprint).number, {}))
    result = execute(planned, ignore, lambda *_: None)
    assert len(called) == 1, "the nodes run, and the pusher publishes a whole version over the damaged one"
    assert (result.verdict, result.version, result.champion) == ("live", 2, 1)


def test_a_published_version_that_does_not_answer_is_a_failure_that_says_what_is_live(planned, published, nodes_that):
    nodes_that(lambda _: Outcome(None, "publish", published(planned.fingerprint).number, {}))
    fail = fail_with(SluicewayError("label of row 0 is b'x'"))
    result = execute(planned, ignore, lambda *_: fail(ignore))
    assert (result.verdict, result.exit_code, result.version, result.champion) == ("failed", 1, 1, None)
    assert result.reasons[0].message == "taxi v1 is published, but it was not seen to answer: label of row 0 is b'x'"


def test_a_version_that_was_published_is_live_and_proven(planned, published, nodes_that):
    published()

    def nodes(listener):
        listener(NodeEvent("ExampleGen", "running"))
        listener(NodeEvent("ExampleGen", "done", 1.5, "7 rows"))
        return Outcome(None, "publish", published(planned.fingerprint).number, {"auc": 0.95})

    nodes_that(nodes)
    told, proven = [], []
    result = execute(planned, told.append, lambda settings, version: proven.append((settings.name, version.number)))
    assert (result.verdict, result.version, result.champion, result.metrics) == ("live", 2, 1, {"auc": 0.95})
    assert proven == [("taxi", 2)]
    assert [event.state for event in told] == ["running", "done"]
    states = {node.name: node.state for node in result.nodes}
    assert states.pop("ExampleGen") == "done"
    assert set(states.values()) == {"skipped"}
    assert json.loads((planned.folder / "result.json").read_text(encoding="utf-8")) == json.loads(json.dumps(result.as_json()))


def test_a_refusal_is_remembered_and_what_is_live_stays(planned, published, store, nodes_that):
    published()
    nodes_that(lambda _: Outcome(REFUSAL, None, None, {"auc": 0.5}))
    result = execute(planned, ignore, never)
    assert (result.verdict, result.gate, result.reasons) == ("refused", "evaluator", REFUSAL.reasons)
    assert (result.version, result.champion) == (1, 1)
    assert [(event.kind, event.run_id) for event in store.history("taxi")] == [("publish", "run"), ("refuse", planned.run_id)]
    assert (planned.folder / "result.json").exists()


def test_a_first_model_that_is_refused_leaves_nothing_live(planned, nodes_that):
    nodes_that(lambda _: Outcome(REFUSAL, None, None, {}))
    result = execute(planned, ignore, never)
    assert (result.verdict, result.version, result.champion) == ("refused", None, None)


@pytest.mark.parametrize("outcome", [Outcome(None, "publish", 7, {}), Outcome(None, "refused", None, {}), Outcome(None, None, None, {})])
def test_a_pusher_and_a_store_that_disagree_are_a_failure(planned, published, nodes_that, outcome):
    published()
    nodes_that(lambda _: outcome)
    result = execute(planned, ignore, never)
    assert (result.verdict, result.version) == ("failed", 1)
    assert result.reasons[0].message.startswith("the pusher said")


def fail_with(error):
    def fail(_):
        raise error

    return fail


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("error", "code", "kind", "message"),
    [
        (NodeFailed("Trainer: broken", node="Trainer"), 1, "NodeFailed", "Trainer: broken"),
        (NodeFailed("Trainer: wrong", node="Trainer", exit_code=ExitCode.USAGE), 2, "NodeFailed", "Trainer: wrong"),
        (RuntimeError("shape mismatch"), 1, "RuntimeError", "unexpected RuntimeError: shape mismatch"),
        (FULL, 2, "UsageError", "no space left on the disk of "),
    ],
)
@pytest.mark.usefixtures("published_once")
def test_a_run_that_fails_has_a_result_too(planned, nodes_that, capsys, error, code, kind, message):
    nodes_that(fail_with(error))
    result = execute(planned, ignore, never)
    assert (result.verdict, result.exit_code, result.version, result.champion) == ("failed", code, 1, 1)
    (reason,) = result.reasons
    assert reason.code == kind
    assert reason.message.startswith(message)
    assert json.loads((planned.folder / "result.json").read_text(encoding="utf-8"))["verdict"] == "failed"
    # Into the log, where stderr goes during a run.
    assert f"{type(error).__name__}: " in capsys.readouterr().err


def test_an_interrupt_is_no_result(planned, nodes_that):
    nodes_that(fail_with(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        execute(planned, ignore, never)
    assert not (planned.folder / "result.json").exists()
    assert not (planned.folder / "tmp").exists()


@pytest.mark.parametrize("error", [LaunchError("the server died"), FULL])
def test_a_version_whose_proof_fails_is_live_all_the_same(planned, published, nodes_that, error):
    nodes_that(lambda _: Outcome(None, "publish", published().number, {"auc": 0.95}))

    def no_proof(*_):
        raise error

    result = execute(planned, ignore, no_proof)
    assert (result.verdict, result.version, result.champion) == ("failed", 1, None)
    assert "nothing was published" not in result.reasons[0].message


@pytest.mark.usefixtures("published_once")
def test_a_failure_leaves_the_nodes_as_they_were(planned, nodes_that):
    def nodes(listener):
        listener(NodeEvent("ExampleGen", "done", 1.0))
        listener(NodeEvent("StatisticsGen", "failed", 2.0))
        raise NodeFailed("StatisticsGen: broken", node="StatisticsGen")

    nodes_that(nodes)
    states = [node.state for node in execute(planned, ignore, never).nodes]
    assert states[:2] == ["done", "failed"]
    assert set(states[2:]) == {"skipped"}


def test_a_result_that_cannot_be_kept_is_told_all_the_same(planned, nodes_that, monkeypatch):
    nodes_that(lambda _: Outcome(REFUSAL, None, None, {}))

    def full(*_):
        raise FULL

    monkeypatch.setattr(module, "_keep", full)
    assert execute(planned, ignore, never).verdict == "refused"


def test_starting_tfx_is_told_when_there_is_something_to_do(planned, published, nodes_that):
    notes = []
    nodes_that(lambda _: Outcome(REFUSAL, None, None, {}))
    execute(planned, ignore, never, notes.append)
    assert notes == ["starting TFX ..."]
    published(planned.fingerprint)
    execute(planned, ignore, never, notes.append)
    assert len(notes) == 1


def test_another_run_in_the_same_folder_is_refused_and_leaves_no_result(planned, nodes_that):
    nodes_that(never)
    with alone(planned.checked.layout), pytest.raises(RunUnderWay):
        execute(planned, ignore, never)
    assert not (planned.folder / "result.json").exists()
    assert not (planned.folder / "tmp").exists()


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path, tmp_path / "store", "taxi")


def keep_result(layout, run, *nodes):
    path = layout.runs / run / "result.json"
    path.parent.mkdir(parents=True)
    content = {"nodes": [{"name": name, "state": state, "seconds": seconds} for name, state, seconds in nodes]}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_without_earlier_runs_no_time_is_expected(layout):
    assert expected_seconds(layout) == {}


def test_the_last_real_run_of_a_node_says_how_long_it_takes(layout):
    keep_result(layout, "20240102-1", ("Trainer", "done", 20.0), ("Evaluator", "refused", 4.0), ("Pusher", "skipped", 0.0))
    keep_result(layout, "20240101-1", ("Trainer", "done", 10.0), ("Pusher", "done", 1.0))
    keep_result(layout, "20240103-1", ("Trainer", "cached", 0.1), ("Evaluator", "failed", 0.2))
    assert expected_seconds(layout) == {"Trainer": 20.0, "Evaluator": 4.0, "Pusher": 1.0}


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "null", '{"nodes": [{}]}', '{"nodes": 7}'])
def test_a_result_that_cannot_be_read_is_passed_over(layout, text):
    keep_result(layout, "20240101-1", ("Trainer", "done", 10.0))
    keep_result(layout, "20240102-1").write_text(text, encoding="utf-8")
    assert expected_seconds(layout) == {"Trainer": 10.0}


def test_a_kept_result_says_what_the_next_run_expects(planned, nodes_that):
    def nodes(listener):
        listener(NodeEvent("Trainer", "done", 3.0))
        return Outcome(REFUSAL, None, None, {})

    nodes_that(nodes)
    execute(planned, ignore, never)
    assert expected_seconds(planned.checked.layout) == {"Trainer": 3.0}
