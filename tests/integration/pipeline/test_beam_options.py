"""Beam arguments held against the Beam that is installed."""

from __future__ import annotations

import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from configs.errors import ConfigError
from configs.load import load_settings, names
from pipeline.beam import RUNNERS, beam_arguments
from pipeline.beam_options import check_with_beam

LATER = {"KafkaStreamsRunner"}  # only in newer Beams; by its dotted path it can be had there


def test_the_runners_are_those_that_beam_knows():
    assert set(RUNNERS) == set(StandardOptions.KNOWN_RUNNER_NAMES) - LATER


@pytest.mark.parametrize("environment", names("environments"))
def test_every_argument_of_a_shipped_environment_is_one_of_beams(environment):
    known = set(PipelineOptions([]).get_all_options())
    arguments = beam_arguments(load_settings("taxi", environment).environment.beam)
    check_with_beam(arguments)
    for given in arguments.values():
        assert set(PipelineOptions(given).get_all_options(retain_unknown_options=True)) <= known


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--runer=DirectRunner"], "Beam knows no --runer; did you mean --runner?"),
        (["--direct_num_worker=2"], "Beam knows no --direct_num_worker; did you mean --direct_num_workers?"),
        (["--moonshine"], "Beam knows no --moonshine"),
        (
            ["--direct_runner_bundle_repeat=x"],
            "argument --direct_runner_bundle_repeat: invalid int value: 'x'",
        ),
        (["--runner=DataflowRunner", "--regoin=x"], "Beam knows no --regoin; did you mean --region?"),
    ],
)
def test_what_beam_would_pass_over_or_die_of_is_one_line(arguments, told, capsys):
    with pytest.raises(ConfigError) as caught:
        check_with_beam({"ExampleGen": [], "Transform": arguments})
    assert str(caught.value) == f"beam arguments of Transform: {told}"
    assert capsys.readouterr().err == ""


def test_an_engine_with_options_of_its_own_gets_them():
    check_with_beam({"Transform": ["--runner=FlinkRunner", "--checkpointing_interval=1000"]})
