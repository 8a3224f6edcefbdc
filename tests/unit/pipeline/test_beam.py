"""Beam arguments by node: what is wrong is one line before Beam is imported, and none of it is part of a run's identity."""

from __future__ import annotations

import subprocess
import sys

import pytest

from configs.environment import Beam, EnvironmentConfig
from configs.errors import ConfigError
from configs.load import load_settings, names
from pipeline.beam import BEAM_NODES, RUNNERS, beam_arguments, check_beam, elsewhere, endpoints
from pipeline.fingerprint import run_fingerprint
from pipeline.nodes import NODES

OR_SERVER = "or --job_endpoint=host:port of a job server"
FLINK = ["--runner=FlinkRunner", "--flink_master=http://flink:8081"]
POOL = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=EXTERNAL", "--environment_config=localhost:50000"]


def test_the_nodes_that_run_on_beam_are_nodes_of_the_pipeline():
    assert set(BEAM_NODES) < set(NODES)


def test_arguments_go_to_every_beam_node_and_a_nodes_own_stand_in_their_place():
    chosen = beam_arguments(Beam(args=["--direct_num_workers=2"], nodes={"Transform": FLINK, "Evaluator": []}))
    assert chosen == {
        "ExampleGen": ["--direct_num_workers=2"],
        "StatisticsGen": ["--direct_num_workers=2"],
        "Transform": FLINK,
        "Evaluator": [],
    }


@pytest.mark.parametrize("node", ["Trainer", "Champion", "ExampleValidator", "transform", "Moon", ""])
def test_a_node_that_does_not_run_on_beam_is_told_with_those_that_do(node):
    with pytest.raises(ConfigError) as caught:
        beam_arguments(Beam(nodes={node: ["--runner=FlinkRunner"]}))
    told = f"beam.nodes.{node}: not a node that runs on Beam; allowed: ExampleGen, StatisticsGen, Transform, Evaluator"
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--runner=Moon"], f"--runner: 'Moon' is no runner; allowed: {', '.join(RUNNERS)}, or the dotted path of a class"),
        (["--direct_num_workers=x"], "--direct_num_workers: 'x' is not a whole number"),
        (["--direct_num_workers", "x"], "--direct_num_workers: 'x' is not a whole number"),
        (["--direct_num_workers"], "--direct_num_workers: expected one argument"),
        (["--parallelism=2.5"], "--parallelism: '2.5' is not a whole number"),
        (["--direct_running_mode=magic"], "--direct_running_mode: 'magic' is not one of: in_memory, multi_processing, multi_threading"),
        (["--environment_type=moon"], "--environment_type: 'moon' is not one of: DOCKER, EXTERNAL, LOOPBACK, PROCESS"),
        (["runner=DirectRunner"], "'runner=DirectRunner' is no argument; they are written --name=value"),
        (["--parallelism=2", "3"], "'3' is no argument; they are written --name=value"),
        (["-runner=DirectRunner"], "'-runner=DirectRunner' is no argument; they are written --name=value"),
        (["--runner=PortableRunner"], "--runner=PortableRunner needs --job_endpoint: embed, or the host:port of a job server"),
        (["--runner=FlinkRunner"], f"--runner=FlinkRunner needs the engine's address: --flink_master=http://host:8081, {OR_SERVER}"),
        (["--runner=flink", "--flink_master="], f"--runner=flink needs the engine's address: --flink_master=http://host:8081, {OR_SERVER}"),
        (["--runner=SparkRunner"], f"--runner=SparkRunner needs the engine's address: --spark_master_url=spark://host:7077, {OR_SERVER}"),
        (["--runner=portable", "--job_endpoint=moon"], "--job_endpoint=moon: give embed or host:port"),
        (POOL[:3], "--environment_type=EXTERNAL needs --environment_config=host:port, not ''"),
        ([*POOL[:3], "--environment_config=moon"], "--environment_type=EXTERNAL needs --environment_config=host:port, not 'moon'"),
        (
            [*POOL[:3], "--environment_config=a:99999"],
            "--environment_type=EXTERNAL needs --environment_config=host:port, not 'a:99999'",
        ),
        (["--runner=DataflowRunner", "--region=x"], "--runner=DataflowRunner needs --project, --temp_location"),
    ],
)
def test_a_wrong_argument_is_one_line_that_names_its_place(arguments, told):
    for beam, place in ((Beam(args=arguments), "beam.args"), (Beam(nodes={"Transform": arguments}), "beam.nodes.Transform")):
        with pytest.raises(ConfigError) as caught:
            beam_arguments(beam)
        assert str(caught.value) == f"{place}: {told}"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--runner=DirectRunner"],
        ["--runner", "flink", "--flink_master", "jobmanager:8081"],
        ["--runner=apache_beam.runners.dask.dask_runner.DaskRunner"],
        ["--direct_num_workers=0", "--direct_running_mode=multi_processing"],
        ["--streaming", "--no_use_public_ips"],
        ["--of_the_engine", "its value", "--experiments=a", "--experiments=b"],
        POOL,
    ],
)
def test_what_beam_takes_passes(arguments):
    assert beam_arguments(Beam(args=arguments))["Transform"] == arguments


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {}),
        (["--runner=DirectRunner"], {}),
        (POOL, {"localhost:50000": "Beam worker pool"}),
        ([*POOL[:3], '--environment_config={"url": "pool:1"}'], {"pool:1": "Beam worker pool"}),
        ([*POOL[:3], "--environment_options=external_service_address=pool:1"], {"pool:1": "Beam worker pool"}),
        # The pool of a job server elsewhere is looked for from there, not from here.
        (["--runner=PortableRunner", "--job_endpoint=jobs:8099", *POOL[2:]], {"jobs:8099": "Beam job server"}),
        (["--runner=FlinkRunner", "--flink_master=http://flink:8081/", *POOL[2:]], {"flink:8081": "Flink job manager"}),
        (["--runner=FlinkRunner", "--flink_master=[local]"], {}),
        (["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=LOOPBACK"], {}),
    ],
)
def test_what_this_process_must_reach_is_known(arguments, expected):
    assert endpoints(Beam(args=arguments)) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], False),
        (["--direct_running_mode=multi_processing"], False),
        (POOL, False),
        (["--runner=FlinkRunner"], True),
        (["--runner=spark"], True),
        (["--runner=apache_beam.runners.dataflow.dataflow_runner.DataflowRunner"], True),
        (["--runner=PortableRunner", "--job_endpoint=jobs:8099"], True),
    ],
)
def test_an_engine_on_other_machines_is_known_as_one(arguments, expected):
    assert elsewhere(arguments) is expected


@pytest.mark.parametrize("environment", names("environments"))
def test_every_shipped_environment_has_arguments_that_hold(environment):
    check_beam(load_settings("taxi", environment).environment)


@pytest.mark.parametrize(
    "arguments",
    [
        FLINK,
        ["--runner=FlinkRunner", "--flink_master=[local]"],
        ["--runner=FlinkRunner", "--job_endpoint=jobs:8099"],
        ["--runner=SparkRunner", "--spark_master_url=spark://spark:7077"],
        ["--runner=SparkRunner", "--spark_submit_uber_jar", "--spark_rest_url=http://spark:6066"],
        ["--runner=SparkRunner", "--job_endpoint=jobs:8099"],
    ],
)
def test_an_engine_with_any_address_is_taken(arguments):
    assert beam_arguments(Beam(args=arguments))["Transform"] == arguments


def test_dataflow_cannot_write_to_a_folder_and_that_is_told_before_it_tries():
    dataflow = ["--runner=DataflowRunner", "--project=p", "--region=r", "--temp_location=gs://b/t"]
    with pytest.raises(ConfigError, match=r"^beam arguments of Transform: Dataflow reads and writes buckets only, and runner: local keeps"):
        check_beam(EnvironmentConfig(beam=Beam(nodes={"Transform": dataflow})))
    with pytest.raises(ConfigError, match=r"^beam arguments of ExampleGen: .* give beam\.work, a gs:// place"):
        check_beam(EnvironmentConfig(runner="kubeflow", beam=Beam(args=dataflow)))
    with pytest.raises(ConfigError, match=r"^beam arguments of Evaluator: .* keep it off Dataflow"):
        check_beam(EnvironmentConfig(runner="kubeflow", beam=Beam(args=dataflow, work="gs://b/w")))
    check_beam(EnvironmentConfig(runner="kubeflow", beam=Beam(args=dataflow, work="gs://b/w", nodes={"Evaluator": []})))


def test_the_engine_does_not_decide_the_model():
    chosen = [f"beam.args={FLINK}", "beam.nodes={Transform: ['--direct_num_workers=2']}"]
    plain, other = (run_fingerprint(load_settings("taxi", "local", given), "data", "code") for given in ([], chosen))
    assert plain == other


def test_looking_at_arguments_imports_no_beam():
    program = "import sys, pipeline.beam, pipeline.workers; sys.exit('apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
