"""Which Beam engine each node runs on: arguments by node, checked before anything imports Beam."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

from configs.environment import Beam, EnvironmentConfig
from configs.errors import ConfigError

# The nodes whose work is a Beam pipeline. The others look at a few files, train in one process, or ask a server.
BEAM_NODES = ("ExampleGen", "StatisticsGen", "Transform", "Evaluator")
# Beam's own names; it takes them in any case and without "Runner". Any other engine is given by its dotted path.
RUNNERS = (
    "BundleBasedDirectRunner",
    "DataflowRunner",
    "DirectRunner",
    "FlinkRunner",
    "FnApiRunner",
    "InteractiveRunner",
    "PortableRunner",
    "PrismRunner",
    "SparkRunner",
    "SwitchingDirectRunner",
    "TestDataflowRunner",
    "TestDirectRunner",
)
ENVIRONMENTS = ("DOCKER", "EXTERNAL", "LOOPBACK", "PROCESS")
MODES = ("in_memory", "multi_processing", "multi_threading")
_ELSEWHERE = frozenset({"dataflow", "flink", "spark"})
_WANTED = {"dataflow": ("project", "region", "temp_location"), "testdataflow": ("project", "region", "temp_location")}
# Without one Beam starts an engine of its own beside this process, which nobody who names Flink or Spark here means.
_ADDRESS = {"flink": ("flink_master",), "spark": ("spark_master_url", "spark_rest_url")}
_LIKE = {"flink": "http://host:8081", "spark": "spark://host:7077"}
_COUNTS = ("direct_num_workers", "parallelism", "num_workers", "max_num_workers", "sdk_worker_parallelism", "job_server_timeout")


def beam_arguments(beam: Beam) -> dict[str, list[str]]:
    """Node to its Beam arguments; a node without any runs on Beam's own local runner.

    Raises:
        ConfigError: a node that there is not, or that does not run on Beam; an argument that cannot be.
    """
    for node, given in beam.nodes.items():
        if node not in BEAM_NODES:
            raise ConfigError(f"beam.nodes.{node}: not a node that runs on Beam; allowed: {', '.join(BEAM_NODES)}")
        _check(f"beam.nodes.{node}", given)
    _check("beam.args", beam.args)
    return {node: list(beam.nodes.get(node, beam.args)) for node in BEAM_NODES}


def check_beam(environment: EnvironmentConfig) -> None:
    """Hold an environment's Beam arguments against themselves and against where it keeps what the nodes make.

    Raises:
        ConfigError: they do not hold.
    """
    for node, arguments in beam_arguments(environment.beam).items():
        if not on_dataflow(arguments):
            continue
        if node == "Evaluator":
            raise ConfigError(
                "beam arguments of Evaluator: its verdict is read from a folder; keep it off Dataflow (beam.nodes.Evaluator: [])"
            )
        if environment.runner == "kubeflow" and not (environment.beam.work or "").startswith("gs://"):
            raise ConfigError(f"beam arguments of {node}: Dataflow's workers see buckets only; give beam.work, a gs:// place, to work in")
        if environment.runner == "local":
            raise ConfigError(
                f"beam arguments of {node}: Dataflow reads and writes buckets only, and runner: local keeps what the nodes make in the"
                f" folder {environment.state}; use runner: kubeflow, or another engine for this node (beam.nodes.{node})"
            )


def on_dataflow(arguments: Sequence[str]) -> bool:
    """The workers see buckets and nothing else."""
    return _short(_parsed("beam", arguments).runner) == "dataflow"


def elsewhere(arguments: Sequence[str]) -> bool:
    """The work runs on machines that do not see this one's files: what it reads and writes has to be a bucket or a shared volume."""
    known = _parsed("beam", arguments)
    return _short(known.runner) in _ELSEWHERE or known.job_endpoint not in {None, "embed"}


def endpoints(beam: Beam) -> dict[str, str]:
    """``host:port`` to what is there, for everything that this process itself must reach before a node can run."""
    found: dict[str, str] = {}
    for arguments in beam_arguments(beam).values():
        known = _parsed("beam", arguments)
        if known.job_endpoint == "embed" and known.environment_type == "EXTERNAL":
            found[_pool(known)] = "Beam worker pool"
        elif known.job_endpoint not in {None, "embed"}:
            found[known.job_endpoint] = "Beam job server"
        elif _short(known.runner) == "flink" and known.flink_master and not known.flink_master.startswith("["):
            found[re.sub(r"^https?://", "", known.flink_master).rstrip("/")] = "Flink job manager"
    return found


class _Parser(argparse.ArgumentParser):
    where = "beam.args"

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{self.where}: {message.removeprefix('argument ')}")


def _check(where: str, arguments: Sequence[str]) -> None:
    known = _parsed(where, arguments)
    runner = _short(known.runner)
    if runner == "portable" and known.job_endpoint is None:
        raise ConfigError(f"{where}: --runner={known.runner} needs --job_endpoint: embed, or the host:port of a job server")
    if known.environment_type == "EXTERNAL" and not _address(_pool(known)):
        raise ConfigError(f"{where}: --environment_type=EXTERNAL needs --environment_config=host:port, not {_pool(known)!r}")
    if known.job_endpoint not in {None, "embed"} and not _address(known.job_endpoint):
        raise ConfigError(f"{where}: --job_endpoint={known.job_endpoint}: give embed or host:port")
    if runner in _ADDRESS and not any(getattr(known, name) for name in (*_ADDRESS[runner], "job_endpoint")):
        own = f"--{_ADDRESS[runner][0]}={_LIKE[runner]}"
        raise ConfigError(
            f"{where}: --runner={known.runner} needs the engine's address: {own}, or --job_endpoint=host:port of a job server"
        )
    missing = [name for name in _WANTED.get(runner, ()) if getattr(known, name) is None]
    if missing:
        raise ConfigError(f"{where}: --runner={known.runner} needs {', '.join(f'--{name}' for name in missing)}")


def _parsed(where: str, arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(add_help=False, allow_abbrev=False, argument_default=None)
    parser.where = where
    parser.add_argument("--runner", type=_runner)
    parser.add_argument("--direct_running_mode", type=_one_of(MODES))
    parser.add_argument("--environment_type", type=_one_of(ENVIRONMENTS))
    for name in _COUNTS:
        parser.add_argument(f"--{name}", type=_count)
    for name in (
        "job_endpoint",
        "environment_config",
        "flink_master",
        "spark_master_url",
        "spark_rest_url",
        "project",
        "region",
        "temp_location",
    ):
        parser.add_argument(f"--{name}")
    parser.add_argument("--environment_option", "--environment_options", dest="environment_options", action="append", default=[])
    known, rest = parser.parse_known_args(list(arguments))
    for before, text in zip(["", *rest], rest, strict=False):
        # Only an argument of a name that is not known here may stand before its value.
        if not text.startswith("--") and (not before.startswith("--") or "=" in before):
            raise ConfigError(f"{where}: {text!r} is no argument; they are written --name=value")
    return known


def _runner(text: str) -> str:
    if "." not in text and _short(text) not in {_short(name) for name in RUNNERS}:
        raise argparse.ArgumentTypeError(f"{text!r} is no runner; allowed: {', '.join(RUNNERS)}, or the dotted path of a class")
    return text


def _short(runner: str | None) -> str:
    """``FlinkRunner``, ``flink`` and its dotted path are one."""
    return (runner or "direct").rpartition(".")[2].lower().removesuffix("runner")


def _one_of(allowed: Sequence[str]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise argparse.ArgumentTypeError(f"{text!r} is not one of: {', '.join(allowed)}")
        return text

    return parse


def _count(text: str) -> int:
    # -1 and 0 mean "as the engine likes" to some of them.
    if not re.fullmatch(r"-?\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _pool(known: argparse.Namespace) -> str:
    """The address of an external worker pool, in the three ways Beam takes it."""
    text = known.environment_config or next(
        (option.partition("=")[2] for option in known.environment_options if option.startswith("external_service_address=")), ""
    )
    if text.lstrip().startswith("{"):
        try:
            text = str(json.loads(text).get("url", ""))
        except ValueError:
            return ""
    return str(text)


def _address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 65536
