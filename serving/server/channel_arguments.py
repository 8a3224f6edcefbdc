"""Arguments of the gRPC server from the command line: ``k=v,k=v``."""

from __future__ import annotations

import re

from configs.errors import UsageError

_INT32 = range(-(2**31), 2**31)


def parse(text: str) -> list[tuple[str, int | str]]:
    """The arguments in their order; a value that is a 32-bit integer is one, as gRPC tells the two apart.

    Raises UsageError for an entry without ``=`` or without a name.
    """
    return [_argument(entry) for entry in text.split(",")] if text else []


def _argument(entry: str) -> tuple[str, int | str]:
    name, equals, value = entry.partition("=")
    if not equals or not name:
        raise UsageError(f"--grpc_channel_arguments: {entry!r} is not of the form name=value")
    if re.fullmatch(r"\s*[+-]?[0-9]+\s*", value) and int(value) in _INT32:
        return name, int(value)
    return name, value
