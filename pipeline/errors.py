"""The errors of running a pipeline.

SluicewayError (configs.errors)
+-- NodeFailed            1  a node raised; carries the node's name
+-- UsageError
    +-- RunUnderWay       2  another process runs the same use case in the same state folder
"""

from __future__ import annotations

import re

from configs.errors import ExitCode, SluicewayError, UsageError
from pipeline.workers import worker_line


class NodeFailed(SluicewayError):
    """A node of the pipeline failed. It ends with the exit code of its cause where that was one of ours."""

    def __init__(self, message: str, *, node: str, exit_code: ExitCode = ExitCode.FAILURE) -> None:
        super().__init__(message)
        self.node = node
        self.exit_code = exit_code


class RunUnderWay(UsageError):
    """Another process runs the same use case in the same state folder."""


def node_error(node: str, cause: BaseException) -> NodeFailed:
    """What a node raised, told in one line; an error of ours in its chain is told rather than the library's that wraps it."""
    origin: BaseException | None = cause
    while origin is not None and not isinstance(origin, SluicewayError):
        origin = origin.__cause__ or origin.__context__
    if isinstance(origin, SluicewayError):
        return NodeFailed(f"{node}: {_without_place(origin)}", node=node, exit_code=origin.exit_code)
    if (line := worker_line(str(cause))) is not None:
        return NodeFailed(f"{node}: {line[:400]}", node=node, exit_code=ExitCode.FAILURE)
    text = _without_place(cause) or type(cause).__name__
    return NodeFailed(f"{node}: {type(cause).__name__}: {text[:400]}", node=node, exit_code=ExitCode.FAILURE)


def _without_place(error: BaseException) -> str:
    """An error's text in one line, without the place in its graph that Beam adds."""
    return re.sub(r" \[while running '[^']*'\]", "", " ".join(str(error).split()))
