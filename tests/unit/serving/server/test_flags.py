"""The command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import UsageError
from serving.server.flags import Flags, parse, usage


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], Flags()),
        (["--port=1", "--rest_api_port", "2"], Flags(port=1, rest_api_port=2)),
        (["--enable_model_warmup=false"], Flags(enable_model_warmup=False)),
        (["--enable_model_warmup", "--port=3"], Flags(port=3)),
        (["--enable_model_warmup", "false", "--port=3"], Flags(enable_model_warmup=False, port=3)),
        (
            ["--file_system_poll_wait_seconds=0.05", "--ports_file=/tmp/p"],
            Flags(file_system_poll_wait_seconds=0.05, ports_file=Path("/tmp/p")),
        ),
        (["-v", "--version"], Flags(verbose=True, version=True)),
        (["--model_name=a=b"], Flags(model_name="a=b")),
    ],
)
def test_flags_are_read(arguments, expected):
    assert parse(arguments) == (expected, [])


def test_unknown_arguments_are_told_apart_and_skipped():
    flags, unknown = parse(["--port=1", "--enable_batching=true", "stray", "-x"])
    assert flags == Flags(port=1)
    assert unknown == ["--enable_batching=true", "stray", "-x"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [("--port=x", "--port=x is not a value of type int"), ("--version=maybe", "type bool"), ("--port", "--port needs a value")],
)
def test_a_bad_value_is_named(argument, message):
    with pytest.raises(UsageError, match=message):
        parse([argument])


def test_every_flag_is_explained():
    for name in vars(Flags()):
        assert f"--{name}=" in usage()
