"""sluiceway-server: reads the command line, sets up logging, runs the server."""

from __future__ import annotations

import logging
import os
import sys
from importlib import metadata

from configs.errors import SluicewayError
from serving.server import flags as command_line
from serving.server import orphan

# TF Serving's exit code for a bad command line and for a failed start.
_FAILED = 255


def main(arguments: list[str] | None = None) -> int:
    """Run the server and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        flags, unknown = command_line.parse(given)
    except SluicewayError as error:
        _say(f"{error}\n\n{command_line.usage()}")
        return _FAILED
    if flags.help:
        _say(command_line.usage())
        return _FAILED if flags.strict else 0
    if flags.version:
        _say(f"TensorFlow ModelServer: sluiceway {_installed('sluiceway')}\nTensorFlow Library: {_installed('tensorflow')}")
        return 0
    set_up_logging(flags.verbose)
    for argument in unknown:
        logging.getLogger("serving.server").warning("unknown argument: %s", argument)
    if flags.parent_pid:
        orphan.watch(flags.parent_pid, flags.remove_on_exit)
    try:
        return _run(flags, given)
    finally:
        if flags.remove_on_exit is not None:
            orphan.remove_directory(flags.remove_on_exit)


def _run(flags: command_line.Flags, given: list[str]) -> int:
    try:
        if flags.workers > 1:
            command_line.check(flags)
            from serving.server.workers.supervisor import Supervisor

            Supervisor(flags, given).run()
        else:
            from serving.server import lifecycle  # grpc and uvicorn: --help and --version do without

            lifecycle.run(flags)
    except SluicewayError as error:
        _say(f"Failed to start server. Error: {in_full(error)}")
        if flags.verbose:
            raise
        return _FAILED
    return 0


def in_full(error: SluicewayError) -> str:
    """With its code, as TF Serving prints a status."""
    code = getattr(error, "code", None)
    return str(error) if code is None else f"{code.name}: {error}"


def set_up_logging(verbose: bool) -> None:
    """Our log lines to stderr; those of TensorFlow and gRPC only when `verbose`."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True)
    # A warning for each request that is no HTTP or asks for a WebSocket: whoever reaches the port could fill the log.
    logging.getLogger("uvicorn").setLevel(logging.INFO if verbose else logging.ERROR)
    if not verbose:
        # A traceback for each header that is not UTF-8.
        logging.getLogger("grpc._cython.cygrpc").setLevel(logging.CRITICAL)
        # Read by TensorFlow's C++ side when it is loaded, so they must be there before it is.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("ABSL_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what goes wrong with a port is said in our own line


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")  # where TF Serving says these things
    sys.stdout.flush()


def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
