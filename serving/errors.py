"""The errors of the serving side.

SluicewayError (configs.errors)
+-- UsageError
|   +-- NotPublished      2  the model or version asked for is not in the store
+-- StoreError            1  the version store could not be read or written
|   +-- StoreFull         1  no space left: nothing was published
|   +-- VersionDamaged    1  a published version does not match its manifest
+-- LaunchError           1  a model server could not be started, or could not be asked (never a verdict on the model)
|   +-- ServerDied        1  the server process ended on its own; carries its last log lines
|   +-- LaunchTimeout     1  the deadline passed before the server answered
+-- ModelLoadError        1  a directory is not a SavedModel that can be served; names the file or op
+-- PredictError          1  a server answered a request with an error; carries the canonical status code
    +-- BadRequest        2  INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED
    +-- ModelNotFound     2  NOT_FOUND
    +-- Unavailable       1  UNAVAILABLE, DEADLINE_EXCEEDED, or no server at the address
"""

from __future__ import annotations

from configs.errors import ExitCode, SluicewayError, UsageError


class NotPublished(UsageError):
    """The model or version asked for is not in the store."""


class StoreError(SluicewayError):
    """The version store could not be read or written; what was live still is."""


class StoreFull(StoreError):
    """No space left on the store's disk; nothing was published."""


class VersionDamaged(StoreError):
    """A published version does not match its manifest."""


class LaunchError(SluicewayError):
    """A model server could not be started or asked. It says nothing about the model."""

    def __init__(self, message: str, *, log_tail: str = "") -> None:
        super().__init__(message)
        self.log_tail = log_tail


class ServerDied(LaunchError):
    """The server process ended on its own."""


class LaunchTimeout(LaunchError):
    """The deadline passed before the server answered."""


class ModelLoadError(SluicewayError):
    """A directory is not a SavedModel that can be served; the message names the file or op."""

    def __init__(self, message: str, *, log_tail: str = "") -> None:
        super().__init__(message)
        self.log_tail = log_tail


class PredictError(SluicewayError):
    """A server answered a request with an error.

    ``code`` is the canonical status name (``INVALID_ARGUMENT``, ``NOT_FOUND``, ...), the same over REST and gRPC.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class BadRequest(PredictError):
    """The request does not fit the model."""

    exit_code = ExitCode.USAGE


class ModelNotFound(PredictError):
    """The server does not serve this model or version."""

    exit_code = ExitCode.USAGE


class Unavailable(PredictError):
    """No server at the address, or none that answers in time."""
