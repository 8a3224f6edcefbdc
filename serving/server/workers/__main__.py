"""One worker: a whole server on ports that it shares. Started by the supervisor only."""

from __future__ import annotations

import base64
import json
import socket
import sys

import msgspec

from configs.errors import SluicewayError
from serving.server import flags as command_line
from serving.server import orphan
from serving.server.__main__ import in_full, set_up_logging

_FAILED = 255


def main() -> int:
    """Run the worker and return its exit code."""
    about, *arguments, control = sys.argv[1:]
    flags, _ = command_line.parse(arguments)
    set_up_logging(flags.verbose)
    from serving.server import lifecycle
    from serving.server.model_config import ModelConfig
    from serving.server.ports import Ports
    from serving.server.schemas import model_configs
    from serving.server.workers.member import Member

    orphan.watch(flags.parent_pid, None)
    told = json.loads(about)
    member = Member(socket.socket(fileno=int(control.partition("=")[2])))
    configs = None
    if told["config"] is not None:
        configs = model_configs.from_bytes(base64.b64decode(told["config"]))
    elif told["serving"] is not None:
        configs = msgspec.convert(told["serving"], tuple[ModelConfig, ...])
    ports = Ports(told["grpc"], told["rest"])
    membership = lifecycle.Membership(ports, member.join, member.listening, configs, told["again"], member.serving)
    try:
        lifecycle.run(flags, membership)
    except SluicewayError as error:
        member.failed(in_full(error))
        if flags.verbose:
            raise
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
