"""The command line of the server: read as TF Serving reads it, or with a little more comfort."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from configs.errors import UsageError
from serving.protocol.status import invalid
from serving.server import channel_arguments
from serving.server.flag_table import OURS, SPECS, UPSTREAM, Flags, FlagSpec, Value

__all__ = ["Flags", "check", "parse", "unused", "usage"]

_SHORT = {"-v": "--verbose"}
_BY_NAME = {spec.name: spec for spec in SPECS}
_COMPAT = ("default", "strict")
_PORTS = range(65_536)
# Ten years: longer than anyone waits, and short enough for every clock and lock that is given it.
_LONGEST_SECONDS = 10 * 365 * 24 * 3600
# Less than none of these is a slip of the pen; upstream takes it, so strict does.
_COUNTS = (
    "max_num_load_retries",
    "load_retry_interval_micros",
    "num_load_threads",
    "num_unload_threads",
    "num_tflite_pools",
    "num_tflite_interpreters_per_pool",
)


def parse(arguments: Sequence[str]) -> tuple[Flags, list[str]]:
    """The flags, and the arguments that are none of them (TF Serving warns of the first and goes on).

    Takes ``--name=value`` and ``--name value``; a boolean may stand alone. With ``--compat=strict`` only what TF Serving takes.
    Raises UsageError for a bad value.
    """
    mode, rest = _take_compat(list(arguments))
    values: dict[str, Value] = {"compat": mode}
    unknown: list[str] = []
    while rest:
        if rest[0] == "--":  # what follows is for someone else
            unknown += rest
            break
        argument = rest.pop(0)
        found = _strict(argument) if mode == "strict" else _lenient(argument, rest)
        if found is None:
            unknown.append(argument)
        else:
            spec, text = found
            values[spec.name] = _value(spec, text, mode)
    if mode == "strict" and unknown[:1] == ["--help"]:
        values["help"] = True  # upstream knows no such flag: it looks at the first argument that is left over
    return replace(Flags(), **values), unknown  # type: ignore[arg-type]  # each value was read by the kind of its field


def _take_compat(rest: list[str]) -> tuple[str, list[str]]:
    """The last --compat, which decides how everything else is read, and the arguments without it."""
    mode = "default"
    others: list[str] = []
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return mode, [*others, argument, *rest]
        name, equals, text = argument.partition("=")
        if name != "--compat":
            others.append(argument)
            continue
        mode = text if equals else _following(_BY_NAME["compat"], rest)
        if mode not in _COMPAT:
            raise UsageError(f"--compat={mode} is not one of {', '.join(_COMPAT)}")
    return mode, others


def _lenient(argument: str, rest: list[str]) -> tuple[FlagSpec, str] | None:
    argument = _SHORT.get(argument, argument)
    name, equals, text = argument.removeprefix("--").partition("=")
    if not argument.startswith("--") or name not in _BY_NAME:
        return None
    spec = _BY_NAME[name]
    return spec, text if equals else _following(spec, rest)


def _following(spec: FlagSpec, rest: list[str]) -> str:
    """The value of a flag that came without =."""
    if spec.kind == "bool":
        return rest.pop(0) if rest and rest[0].lower() in ("true", "false") else "true"
    if not rest:
        raise UsageError(f"--{spec.name} needs a value: --{spec.name}=...")
    return rest.pop(0)


def _strict(argument: str) -> tuple[FlagSpec, str] | None:
    for spec in SPECS:
        if spec.name == "help" or not argument.startswith(f"--{spec.name}"):
            continue
        tail = argument[len(spec.name) + 2 :]
        if spec.kind == "bool" and not spec.ours:
            # Upstream compares only the beginning of the name, so --version_2 is a bad value of --version.
            return spec, tail.removeprefix("=") if tail else "true"
        if tail.startswith("=") or (spec.kind == "bool" and not tail):
            return spec, tail.removeprefix("=") if tail else "true"
    return None


def _boolean(text: str) -> bool:
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise ValueError(text)


def _boolean_strict(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _integer(bits: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[ \t\n]*[+-]?[0-9]+", text) or not -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1):
            raise ValueError(text)
        return int(text)

    return read


def _path(text: str) -> Path | None:
    return Path(text) if text else None


_READERS: dict[str, Callable[[str], Value]] = {
    "bool": _boolean,
    "int32": _integer(32),
    "int64": _integer(64),
    "float": float,
    "seconds": float,
    "string": str,
    "path": _path,
}
_STRICT_READERS = {**_READERS, "bool": _boolean_strict, "seconds": _integer(32)}
_CALLED = {"int32": "int", "int64": "int", "seconds": "float"}


def _value(spec: FlagSpec, text: str, mode: str) -> Value:
    readers = _STRICT_READERS if mode == "strict" and not spec.ours else _READERS
    try:
        return readers[spec.kind](text)
    except ValueError:
        raise UsageError(f"--{spec.name}={text} is not a value of type {_CALLED.get(spec.kind, spec.kind)}") from None


def check(flags: Flags) -> None:
    """Refuse what cannot be served.

    Raises StatusError (INVALID_ARGUMENT) with TF Serving's own start errors, in its order, and UsageError for what only we refuse.
    """
    for problem in _refused_upstream(flags):
        raise invalid(problem)
    for problem in _refused_here(flags):
        raise UsageError(problem)


def _refused_upstream(flags: Flags) -> Iterator[str]:
    if not flags.port and not flags.grpc_socket_path and flags.ports_file is None:
        yield "At least one of server_options.grpc_port or server_options.grpc_socket_path must be set."
    if flags.use_alts_credentials and flags.ssl_config_file:
        yield "Either use_alts_credentials must be false or ssl_config_file must be empty."
    if not flags.model_base_path and not flags.model_config_file:
        yield "Both server_options.model_base_path and server_options.model_config_file are empty!"
    if flags.platform_config_file:
        return  # it replaces all that follows
    if flags.batching_parameters_file and not flags.enable_batching:
        yield "server_options.batching_parameters_file is set without setting server_options.enable_batching to true."
    parallelism = (flags.tensorflow_session_parallelism, flags.tensorflow_intra_op_parallelism, flags.tensorflow_inter_op_parallelism)
    if min(parallelism) > 0:
        yield (
            "Either configure server_options.tensorflow_session_parallelism or (server_options.tensorflow_intra_op_parallelism, "
            "server_options.tensorflow_inter_op_parallelism) separately. You cannot configure all."
        )


def _refused_here(flags: Flags) -> Iterator[str]:
    for name in ("port", "rest_api_port"):
        if getattr(flags, name) not in _PORTS:
            yield f"--{name}={getattr(flags, name)} is not between 0 and 65535"
    if flags.port and flags.port == flags.rest_api_port and not flags.strict:
        yield f"--rest_api_port={flags.rest_api_port} is taken by --port: gRPC and REST need a port each"
    for name in ("rest_api_num_threads", "grpc_max_threads", "workers"):
        if getattr(flags, name) < 1:
            yield f"--{name}={getattr(flags, name)} is less than 1"
    if flags.workers > 1 and flags.grpc_socket_path:
        yield f"--grpc_socket_path={flags.grpc_socket_path} is not for --workers={flags.workers}: only one of them would get its requests"
    yield from _refused_numbers(flags)
    for name in ("per_process_gpu_memory_fraction", "prediction_log_sampling_rate"):
        if not 0 <= getattr(flags, name) <= 1:
            yield f"--{name}={getattr(flags, name):g} is not between 0 and 1"
    if bool(flags.rest_ssl_cert_file) != bool(flags.rest_ssl_key_file):
        yield "--rest_ssl_cert_file and --rest_ssl_key_file go together: give both"
    if flags.rest_ssl_client_ca_file and not flags.rest_ssl_cert_file:
        yield "--rest_ssl_client_ca_file needs --rest_ssl_cert_file and --rest_ssl_key_file: without them REST has no TLS"
    if flags.admin_token_env and flags.admin_token_file is not None:
        yield "--admin_token_env and --admin_token_file both name a token: give one"
    if flags.prediction_log_sampling_rate and not flags.prediction_log_prefix:
        yield "--prediction_log_sampling_rate needs --prediction_log_prefix: where the log goes"
    channel_arguments.parse(flags.grpc_channel_arguments)


def _refused_numbers(flags: Flags) -> Iterator[str]:
    for name in ("max_request_bytes", "parent_pid", *(() if flags.strict else _COUNTS)):
        if getattr(flags, name) < 0:
            yield f"--{name}={getattr(flags, name)} is negative"
    if not 0 <= flags.drain_seconds <= _LONGEST_SECONDS:
        yield f"--drain_seconds={flags.drain_seconds:g} is not between 0 and {_LONGEST_SECONDS} (ten years)"
    poll = flags.file_system_poll_wait_seconds
    if not flags.strict and not (math.isfinite(poll) and poll <= _LONGEST_SECONDS):
        yield f"--file_system_poll_wait_seconds={poll:g} is not a number up to {_LONGEST_SECONDS} (ten years); to look never, give -1"


def unused(flags: Flags) -> list[str]:
    """One line for each flag that was set and does nothing here, to be logged once."""
    lines = [
        f"--{spec.name}={getattr(flags, spec.name)} has no effect: {spec.note}"
        for spec in SPECS
        if spec.standing == "not here" and getattr(flags, spec.name) != spec.default
    ]
    if flags.enable_per_model_batching_parameters and not flags.enable_batching and not flags.platform_config_file:
        lines.append("--enable_per_model_batching_parameters has no effect: without --enable_batching no model is batched")
    return lines


def usage() -> str:
    """The help text: TF Serving's flags, then ours."""
    lines = ["usage: sluiceway-server --model_name=NAME --model_base_path=DIRECTORY [--port=N] [--rest_api_port=N] ..."]
    for title, specs in (("As TF Serving has them:", UPSTREAM), ("Ours:", OURS)):
        lines += ["", title]
        lines += [f"  --{spec.name}={spec.shown}\n        {spec.help}{_aside(spec)}" for spec in specs]
    return "\n".join(lines)


def _aside(spec: FlagSpec) -> str:
    return f" ({'no effect' if spec.standing == 'not here' else 'here'}: {spec.note})" if spec.note else ""
