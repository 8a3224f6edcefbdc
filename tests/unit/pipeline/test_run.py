"""One run: checked before anything is written, alone in its folder, and told as what it came to."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from configs.errors import ConfigError, ExitCode, SluicewayError, UsageError
from configs.load import load_settings
from pipeline import run as module
from pipeline.errors import RunUnderWay
from pipeline.layout import Layout
from pipeline.nodes import node_names
from pipeline.run import check, execute, expected_seconds, plan
from pipeline.runners.base import NodeEvent, Outcome
from serving.errors import StoreError, VersionDamaged
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from serving.verdict import Reason, Verdict
from tests.fakes.trips import write_trips

REFUSAL = Verdict("evaluator", (Reason("threshold", "auc 0.5 < 0.8", 0.5, 0.8),))


@pytest.fixture
def settings(tmp_path):
    """Settings for rows and a state of their own, with more overrides."""
    data = write_trips(tmp_path / "trips.csv")

    def load(*overrides):
        return load_settings("taxi", "local", [f"state={tmp_path / 'state'}", f"data.source={data}", *overrides])

    return load


@pytest.fixture
def planned(settings):
    return plan(check(settings()))


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "state" / "store")


@pytest.fixture
def published(store, tmp_path):
    """Publishes a version with a fingerprint, as a pusher would."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").write_bytes(b"graph")
    return lambda fingerprint="sha256:old": store.publish("taxi", model, Identity("run", "taxi", fingerprint, None, {"auc": 0.9}))


@pytest.fixture
def nodes_that(monkeypatch):
    """Puts an action in the place of TFX; remembers whether it was called."""
    called = []

    def replace(action):
        def run_nodes(planned, listener):
            called.append(planned)
            return action(listener)

        monkeypatch.setattr(module, "_run_nodes", run_nodes)
        return called

    return replace


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
    nodes_that(never)
    version = published(planned.fingerprint)
    (version.path / "saved_model.pb").write_bytes(b"tampered")
    with pytest.raises(VersionDamaged, match=r"saved_model\.pb was changed"):
        execute(planned, never, never)


def test_a_version_that_was_published_is_live_and_proven(planned, published, nodes_that):
    published()

    def nodes(listener):
        listener(NodeEvent("ExampleGen", "running"))
        listener(NodeEvent("ExampleGen", "done", 1.5, "7 rows"))
        return Outcome(None, "publish", published(planned.fingerprint).number, {"auc": 0.95})

    nodes_that(nodes)
    told, proven = [], []
    result = execute(planned, told.append, lambda launcher, version: proven.append((launcher, version.number)))
    assert (result.verdict, result.version, result.champion, result.metrics) == ("live", 2, 1, {"auc": 0.95})
    assert proven == [("embedded", 2)]
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
    with pytest.raises(SluicewayError, match="the pusher said"):
        execute(planned, ignore, never)


HOLD = """
import sys
from pathlib import Path
from pipeline.layout import Layout
from pipeline.run import _alone
with _alone(Layout(Path(sys.argv[1]), Path(sys.argv[1]) / "store", "taxi")):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_in_the_same_folder_is_refused_until_the_first_ends(planned, nodes_that, tmp_path):
    nodes_that(lambda _: Outcome(REFUSAL, None, None, {}))
    command = [sys.executable, "-c", HOLD, str(tmp_path / "state")]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd=Path(__file__).parents[3]) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunUnderWay, match="another run of taxi is under way in") as caught:
            execute(planned, ignore, never)
        assert str(tmp_path / "state") in str(caught.value)
        # Killed, not ended: the kernel frees the lock.
        other.kill()
    assert execute(planned, ignore, never).verdict == "refused"


def test_runs_of_other_folders_do_not_wait(planned, settings, nodes_that, tmp_path):
    nodes_that(lambda _: Outcome(REFUSAL, None, None, {}))
    with module._alone(planned.checked.layout):
        elsewhere = plan(check(settings(f"state={tmp_path / 'other'}")))
        assert execute(elsewhere, ignore, never).verdict == "refused"


def test_a_state_folder_that_cannot_be_made_is_the_callers_mistake(settings, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        execute(plan(check(settings(f"state={tmp_path / 'file'}"))), ignore, never)


def chained(text, cause):
    error = RuntimeError(text)
    error.__cause__ = cause
    return error


def during(text, context):
    error = RuntimeError(text)
    error.__context__ = context
    return error


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("RESOURCE_EXHAUSTED; /x; No space left on device [while running 'Write']"),
        RuntimeError("(sqlite3.OperationalError) database or disk is full"),
        chained("Trainer failed", FULL),
        during("Trainer failed", FULL),
        chained("outer", during("inner", chained("innermost", FULL))),
        StoreError("no ledger: No space left on device"),
    ],
)
def test_a_full_disk_is_told_as_one_whichever_library_met_it(planned, nodes_that, error):
    def fail(_):
        raise error

    nodes_that(fail)
    with pytest.raises(UsageError, match=r"no space left on the disk of .* MiB free") as caught:
        execute(planned, ignore, never)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [OSError(errno.EACCES, "Permission denied"), RuntimeError("shape mismatch"), StoreError("broken"), KeyboardInterrupt()]
)
def test_any_other_error_stays_what_it_is(planned, nodes_that, error):
    def fail(_):
        raise error

    nodes_that(fail)
    with pytest.raises(type(error)) as caught:
        execute(planned, ignore, never)
    assert caught.value is error


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
