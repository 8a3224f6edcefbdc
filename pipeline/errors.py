"""The errors of running a pipeline.

SluicewayError (configs.errors)
+-- NodeFailed            1  a node raised; carries the node's name
+-- UsageError
    +-- RunUnderWay       2  another process runs the same use case in the same state folder
"""

from __future__ import annotations

from configs.errors import ExitCode, SluicewayError, UsageError


class NodeFailed(SluicewayError):
    """A node of the pipeline failed. It ends with the exit code of its cause where that was one of ours."""

    def __init__(self, message: str, *, node: str, exit_code: ExitCode = ExitCode.FAILURE) -> None:
        super().__init__(message)
        self.node = node
        self.exit_code = exit_code


class RunUnderWay(UsageError):
    """Another process runs the same use case in the same state folder."""
