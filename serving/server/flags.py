"""The command line of the server: TF Serving's flags, spelled its way, plus a few of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from configs.errors import UsageError


@dataclass(frozen=True)
class Flags:
    """Every flag with its default; the names on the command line are the same. The last group is ours, not TF Serving's."""

    port: int = 8500
    rest_api_port: int = 0
    model_name: str = "default"
    model_base_path: str = ""
    file_system_poll_wait_seconds: float = 1.0
    enable_model_warmup: bool = True
    num_request_iterations_for_warmup: int = 0
    max_num_load_retries: int = 5
    load_retry_interval_micros: int = 60_000_000
    version: bool = False
    help: bool = False

    bind: str = "127.0.0.1"
    parent_pid: int = 0
    ports_file: Path | None = None
    remove_on_exit: Path | None = None
    verbose: bool = False


_HELP = {
    "port": "gRPC port; 0: no gRPC, or with --ports_file any free port",
    "rest_api_port": "REST port; 0: no REST, or with --ports_file any free port",
    "model_name": "name under which the model is served",
    "model_base_path": "directory that holds the numbered versions",
    "file_system_poll_wait_seconds": "seconds between looks for new versions; 0: look once; negative: never",
    "enable_model_warmup": "run assets.extra/tf_serving_warmup_requests before a version is available",
    "num_request_iterations_for_warmup": "how often each warm-up record is run; 0 means once",
    "max_num_load_retries": "how often a load is tried again; errors that cannot pass are not",
    "load_retry_interval_micros": "longest wait between two tries",
    "version": "print versions and exit",
    "help": "print this and exit",
    "bind": "address to listen on",
    "parent_pid": "end when this process is gone",
    "ports_file": "write {grpc, rest, pid} here as JSON once the ports are open; they then open before a model is available",
    "remove_on_exit": "delete this launch directory (marked as one, under the temporary directory) at the end",
    "verbose": "let TensorFlow log, and show tracebacks",
}


def _boolean(text: str) -> bool:
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise ValueError(text)


_PARSERS: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "str": str, "bool": _boolean, "Path | None": Path}
_SHORT = {"v": "verbose"}


def parse(arguments: Sequence[str]) -> tuple[Flags, list[str]]:
    """The flags, and the arguments that are none of them (TF Serving warns and goes on). Raises UsageError for a bad value.

    Takes ``--name=value`` and ``--name value``; a boolean may stand alone.
    """
    kinds = {item.name: str(item.type) for item in fields(Flags)}
    values: dict[str, Any] = {}
    unknown: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name, equals, text = argument.lstrip("-").partition("=")
        name = _SHORT.get(name, name)
        if not (argument.startswith("--") or argument == "-v") or name not in kinds:
            unknown.append(argument)
            continue
        if not equals:
            text = _following(name, kinds[name], rest)
        try:
            values[name] = _PARSERS[kinds[name]](text)
        except ValueError:
            raise UsageError(f"--{name}={text} is not a value of type {kinds[name].split(' ')[0]}") from None
    return replace(Flags(), **values), unknown


def _following(name: str, kind: str, rest: list[str]) -> str:
    if kind == "bool":
        return rest.pop(0) if rest and rest[0].lower() in ("true", "false") else "true"
    if not rest:
        raise UsageError(f"--{name} needs a value: --{name}=...")
    return rest.pop(0)


def usage() -> str:
    """The help text."""
    lines = ["usage: sluiceway-server --model_name=NAME --model_base_path=DIRECTORY [--port=N] [--rest_api_port=N] ...", ""]
    lines += [f"  --{item.name}={getattr(Flags(), item.name)}\n        {_HELP[item.name]}" for item in fields(Flags)]
    return "\n".join(lines)
