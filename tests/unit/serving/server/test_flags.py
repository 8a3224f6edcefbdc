"""The command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from configs.errors import UsageError
from serving.protocol.status import Code, StatusError
from serving.server.flags import Flags, check, parse, unused, usage

STRICT = "--compat=strict"
MODEL = Flags(model_base_path="/models/m")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], Flags()),
        (["--port=1", "--rest_api_port", "2"], Flags(port=1, rest_api_port=2)),
        (["--enable_model_warmup=false"], Flags(enable_model_warmup=False)),
        (["--enable_model_warmup", "--port=3"], Flags(port=3)),
        (["--enable_model_warmup", "false", "--port=3"], Flags(enable_model_warmup=False, port=3)),
        (["--enable_batching=1", "--flush_filesystem_caches=FALSE"], Flags(enable_batching=True, flush_filesystem_caches=False)),
        (
            ["--file_system_poll_wait_seconds=0.05", "--ports_file=/tmp/p"],
            Flags(file_system_poll_wait_seconds=0.05, ports_file=Path("/tmp/p")),
        ),
        (["-v", "--version"], Flags(verbose=True, version=True)),
        (["--model_name=a=b"], Flags(model_name="a=b")),
        (["--model_name="], Flags(model_name="")),
        (["--port=1", "--port=2"], Flags(port=2)),
        (["--ports_file="], Flags()),
        (["--help"], Flags(help=True)),
    ],
)
def test_flags_are_read(arguments, expected):
    assert parse(arguments) == (expected, [])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], Flags()),
        (["--port=1", "--enable_batching", "--enable_model_warmup=false"], Flags(port=1, enable_batching=True, enable_model_warmup=False)),
        (["--port= +1"], Flags(port=1)),
        (["--file_system_poll_wait_seconds=5"], Flags(file_system_poll_wait_seconds=5)),
        (["--per_process_gpu_memory_fraction=.5"], Flags(per_process_gpu_memory_fraction=0.5)),
        (["--bind=0.0.0.0", "--verbose", "--drain_seconds=0.5"], Flags(bind="0.0.0.0", verbose=True, drain_seconds=0.5)),
    ],
)
def test_strict_flags_are_read(arguments, expected):
    expected = replace(expected, compat="strict")
    assert expected.strict
    assert parse([STRICT, *arguments]) == (expected, [])
    assert parse([*arguments, "--compat", "strict"]) == (expected, [])


def test_a_value_after_a_space_is_unknown_in_strict():
    flags, unknown = parse([STRICT, "--port", "1", "--model_name", "m", "-v"])
    assert flags == Flags(compat="strict")
    assert unknown == ["--port", "1", "--model_name", "m", "-v"]


def test_unknown_arguments_are_told_apart_and_skipped():
    flags, unknown = parse(["--port=1", "--enable_teleport=true", "stray", "-x"])
    assert flags == Flags(port=1)
    assert unknown == ["--enable_teleport=true", "stray", "-x"]


@pytest.mark.parametrize("mode", [[], [STRICT]], ids=["default", "strict"])
def test_what_follows_two_dashes_is_not_read(mode):
    flags, unknown = parse([*mode, "--port=1", "--", "--port=2", "--compat=strict"])
    assert flags == Flags(port=1, compat="strict" if mode else "default")
    assert unknown == ["--", "--port=2", "--compat=strict"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--port=x", "--port=x is not a value of type int"),
        ("--port=1.5", "type int"),
        ("--port=1_000", "type int"),
        ("--port=", "type int"),
        ("--port=2147483648", "type int"),
        ("--version=maybe", "type bool"),
        ("--port", "--port needs a value"),
        ("--compat", "--compat needs a value"),
        ("--compat=loose", "--compat=loose is not one of default, strict"),
        ("--per_process_gpu_memory_fraction=much", "type float"),
    ],
)
def test_a_bad_value_is_named(argument, message):
    with pytest.raises(UsageError, match=message):
        parse([argument])


@pytest.mark.parametrize(
    "argument",
    ["--port=x", "--enable_batching=1", "--enable_batching=True", "--enable_batching_now", "--file_system_poll_wait_seconds=0.5"],
)
def test_strict_refuses_what_upstream_refuses(argument):
    with pytest.raises(UsageError):
        parse([STRICT, argument])


def test_wide_numbers_have_64_bits():
    assert parse(["--load_retry_interval_micros=2147483648"])[0].load_retry_interval_micros == 2**31


def test_strict_help_is_only_seen_as_the_first_unknown_argument():
    assert parse([STRICT, "--port=1", "--help", "x"])[0].help
    assert not parse([STRICT, "x", "--help"])[0].help


def test_flags_that_can_be_served_pass():
    check(MODEL)
    check(Flags(model_config_file="/models.config", port=0, grpc_socket_path="/tmp/s"))
    check(replace(MODEL, port=0, ports_file=Path("/tmp/p")))
    check(replace(MODEL, platform_config_file="/p", batching_parameters_file="/b"))
    check(replace(MODEL, tensorflow_session_parallelism=1, tensorflow_intra_op_parallelism=2))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (Flags(port=0), "At least one of server_options.grpc_port or server_options.grpc_socket_path must be set."),
        (
            Flags(use_alts_credentials=True, ssl_config_file="/s"),
            "Either use_alts_credentials must be false or ssl_config_file must be empty.",
        ),
        (
            Flags(batching_parameters_file="/b"),
            "Both server_options.model_base_path and server_options.model_config_file are empty!",
        ),
        (
            replace(
                MODEL,
                batching_parameters_file="/b",
                tensorflow_session_parallelism=1,
                tensorflow_intra_op_parallelism=1,
                tensorflow_inter_op_parallelism=1,
            ),
            "server_options.batching_parameters_file is set without setting server_options.enable_batching to true.",
        ),
        (
            replace(MODEL, tensorflow_session_parallelism=1, tensorflow_intra_op_parallelism=1, tensorflow_inter_op_parallelism=1),
            "Either configure server_options.tensorflow_session_parallelism or (server_options.tensorflow_intra_op_parallelism, "
            "server_options.tensorflow_inter_op_parallelism) separately. You cannot configure all.",
        ),
    ],
)
def test_upstreams_start_errors_come_in_its_words_and_order(flags, message):
    with pytest.raises(StatusError) as caught:
        check(flags)
    assert (caught.value.code, caught.value.message) == (Code.INVALID_ARGUMENT, message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"port": 65536}, "--port=65536 is not between 0 and 65535"),
        ({"rest_api_port": -1}, "--rest_api_port=-1"),
        ({"rest_api_port": 8500}, "--rest_api_port=8500 is taken by --port"),
        ({"grpc_max_threads": 0}, "--grpc_max_threads=0 is less than 1"),
        ({"drain_seconds": -0.5}, "--drain_seconds=-0.5 is not between 0 and 315360000"),
        ({"drain_seconds": float("nan")}, r"--drain_seconds=nan is not between 0 and 315360000 \(ten years\)"),
        ({"drain_seconds": float("inf")}, "--drain_seconds=inf is not between 0"),
        ({"drain_seconds": 1e9}, "--drain_seconds=1e\\+09 is not between 0"),
        ({"max_request_bytes": -1}, "--max_request_bytes=-1 is negative"),
        ({"workers": 2, "grpc_socket_path": "/s"}, "--grpc_socket_path=/s is not for --workers=2"),
        ({"workers": 2, "grpc_socket_path": "/s", "compat": "strict"}, "--grpc_socket_path=/s is not for --workers=2"),
        ({"prediction_log_sampling_rate": 1.5, "prediction_log_prefix": "/l"}, "=1.5 is not between 0 and 1"),
        ({"prediction_log_sampling_rate": 0.5}, "needs --prediction_log_prefix"),
        ({"rest_ssl_cert_file": "/c"}, "go together"),
        ({"rest_ssl_key_file": "/k"}, "go together"),
        ({"rest_ssl_client_ca_file": "/a"}, "needs --rest_ssl_cert_file"),
        ({"admin_token_env": "T", "admin_token_file": Path("/t")}, "both name a token"),
        ({"grpc_channel_arguments": "a"}, "--grpc_channel_arguments: 'a'"),
    ],
)
def test_what_only_we_refuse_is_named_with_its_value(changes, message):
    with pytest.raises(UsageError, match=message):
        check(replace(MODEL, **changes))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("file_system_poll_wait_seconds", float("inf"), "=inf is not a number up to 315360000"),
        ("file_system_poll_wait_seconds", float("-inf"), "=-inf is not a number up to 315360000"),
        ("file_system_poll_wait_seconds", float("nan"), "=nan is not a number up to 315360000"),
        ("file_system_poll_wait_seconds", 2**31 - 1, " is not a number up to 315360000"),
        ("max_num_load_retries", -1, "=-1 is negative"),
        ("load_retry_interval_micros", -5, "=-5 is negative"),
        ("num_load_threads", -2, "=-2 is negative"),
        ("num_unload_threads", -2, "=-2 is negative"),
        ("num_tflite_pools", -3, "=-3 is negative"),
        ("num_tflite_interpreters_per_pool", -3, "=-3 is negative"),
    ],
)
def test_numbers_that_mean_nothing_are_refused_where_upstream_takes_them(name, value, message):
    with pytest.raises(UsageError, match=f"^--{name}.*{message}"):
        check(replace(MODEL, **{name: value}))
    check(replace(MODEL, compat="strict", **{name: value}))


def test_to_look_never_is_a_negative_wait_and_to_load_once_is_no_retry():
    check(replace(MODEL, file_system_poll_wait_seconds=-1, max_num_load_retries=0, drain_seconds=0))


def test_strict_lets_rest_fall_away_as_upstream_does():
    check(replace(MODEL, compat="strict", rest_api_port=8500))


def test_flags_without_effect_are_told_once_when_set():
    assert unused(Flags()) == []
    lines = unused(Flags(skip_initialize_tpu=True, thread_pool_factory_config_file="/t"))
    assert [line.partition(" has no effect: ")[0] for line in lines] == [
        "--thread_pool_factory_config_file=/t",
        "--skip_initialize_tpu=True",
    ]


def test_parameters_of_models_have_no_effect_without_batching():
    own = Flags(enable_per_model_batching_parameters=True)
    assert [line.partition(":")[0] for line in unused(own)] == ["--enable_per_model_batching_parameters has no effect"]
    assert unused(replace(own, enable_batching=True)) == []
    assert unused(replace(own, platform_config_file="/p")) == []


def test_every_flag_is_explained():
    text = usage()
    for name in vars(Flags()):
        assert text.count(f"  --{name}=") == 1, name
    assert text.index("--enable_serialization_as_tensor_content") < text.index("Ours:") < text.index("--compat=default")
