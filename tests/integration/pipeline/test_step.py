"""One node from plain locations to plain locations: what goes wrong is told before, or as, it happens."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from configs.load import load_settings
from pipeline.errors import NodeFailed
from pipeline.places import NOTHING_FILE, PROPERTIES_FILE
from pipeline.step import StepRequest, run_step
from serving.errors import LaunchError
from tests.fakes.trips import write_trips


@pytest.fixture
def request_for(tmp_path):
    data = write_trips(tmp_path / "trips.csv")
    settings = load_settings("taxi", "local", [f"state={tmp_path / 'state'}", f"data.source={data}", f"store.path={tmp_path / 'store'}"])

    def make(node, **more):
        return StepRequest(node, settings, **more)

    return make


@pytest.fixture
def examples(request_for, tmp_path):
    """Where ExampleGen put the rows."""
    place = tmp_path / "out" / "examples"
    run_step(request_for("ExampleGen", outputs={"examples": str(place)}))
    return place


def test_rows_become_examples_at_the_location_with_their_properties_beside_them(examples, tmp_path):
    assert {path.name for path in examples.iterdir()} == {"Split-train", "Split-eval", PROPERTIES_FILE}
    assert list((tmp_path / "state").iterdir()) == [], "a step leaves nothing in its state folder"


def test_a_step_takes_what_another_gave_by_path_and_by_uri(request_for, examples, tmp_path):
    by_path = run_step(
        request_for("StatisticsGen", inputs={"examples": str(examples)}, outputs={"statistics": str(tmp_path / "out" / "a")})
    )
    by_uri = run_step(
        request_for("StatisticsGen", inputs={"examples": examples.as_uri()}, outputs={"statistics": (tmp_path / "out" / "b").as_uri()})
    )
    assert by_path.figures == by_uri.figures
    assert sum(by_path.figures.values()) > 0
    assert (tmp_path / "out" / "b" / PROPERTIES_FILE).is_file()


def test_a_gate_gives_its_verdict(request_for, examples, tmp_path):
    statistics, schema = tmp_path / "out" / "statistics", tmp_path / "out" / "schema"
    run_step(request_for("StatisticsGen", inputs={"examples": str(examples)}, outputs={"statistics": str(statistics)}))
    run_step(request_for("Schema", outputs={"result": str(schema)}))
    report = run_step(
        request_for(
            "ExampleValidator",
            inputs={"statistics": str(statistics), "schema": str(schema)},
            outputs={"anomalies": str(tmp_path / "out" / "anomalies")},
        )
    )
    assert report.verdict is not None
    assert report.verdict.gate == "data"


def test_no_champion_is_an_output_that_holds_nothing(request_for, tmp_path):
    model = tmp_path / "model" / "Format-Serving"
    model.mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"graph")
    report = run_step(request_for("Champion", inputs={"candidate": str(model.parent)}, outputs={"champion": str(tmp_path / "champion")}))
    assert report.figure == "none yet"
    assert [path.name for path in (tmp_path / "champion").iterdir()] == [NOTHING_FILE]


@pytest.mark.parametrize(
    ("more", "saying"),
    [
        ({}, "input 'examples' is missing; this node's inputs: examples"),
        ({"inputs": {"examples": "/a", "rows": "/b"}}, "unknown input 'rows'"),
        ({"inputs": {"examples": "/nowhere"}, "outputs": {"statistics": "out"}}, "/nowhere: there is no such folder"),
        ({"inputs": {"examples": "/"}, "outputs": {"moon": "out"}}, "unknown output 'moon'; this node's outputs: statistics"),
    ],
)
def test_wrong_places_are_told(request_for, more, saying, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=saying):
        run_step(request_for("StatisticsGen", **more))


def test_rows_that_changed_since_the_plan_are_not_used(request_for, tmp_path):
    with pytest.raises(UsageError, match="changed since this run was planned"):
        run_step(request_for("ExampleGen", outputs={"examples": str(tmp_path / "x")}, data_digest="other"))
    assert list((tmp_path / "x").iterdir()) == []


def test_an_output_does_not_mix_with_what_an_earlier_step_left(request_for, tmp_path):
    (tmp_path / NOTHING_FILE).write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="is not empty"):
        run_step(request_for("Champion", inputs={"candidate": str(tmp_path)}, outputs={"champion": str(tmp_path)}))


@pytest.mark.parametrize("planned", [{"code": "other"}, {"judging": "other"}])
def test_a_step_of_another_code_than_the_plans_does_not_run(request_for, tmp_path, planned):
    with pytest.raises(UsageError, match=r"^Schema: the code here is not the code that this run was planned with"):
        run_step(request_for("Schema", outputs={"result": str(tmp_path / "x")}, **planned))
    assert not (tmp_path / "x").exists()


def test_the_pods_of_the_infra_gate_see_the_candidate_on_the_volume_of_the_state_folder(tmp_path, monkeypatch):
    """Its input lies in the step's own container. Without a cluster the launch ends after the candidate was found on the volume."""
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    model = tmp_path / "model" / "Format-Serving"
    model.mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"graph")
    chosen = ["launcher=kubernetes", "launchers.kubernetes.claim=c", f"launchers.kubernetes.mount={tmp_path / 'state'}"]
    settings = load_settings("taxi", "local", [f"state={tmp_path / 'state'}", *chosen])
    request = StepRequest("InfraValidator", settings, inputs={"model": str(model.parent)}, outputs={"blessing": str(tmp_path / "blessing")})
    with pytest.raises(LaunchError, match="no cluster is configured"):
        run_step(request)


def test_what_a_node_raises_names_the_node(request_for, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("no examples", encoding="utf-8")
    with pytest.raises(NodeFailed, match=r"^StatisticsGen: ") as caught:
        run_step(request_for("StatisticsGen", inputs={"examples": str(tmp_path / "other")}, outputs={"statistics": str(tmp_path / "x")}))
    assert caught.value.node == "StatisticsGen"
