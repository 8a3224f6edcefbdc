"""The errors of talking to a Kubeflow Pipelines server.

SluicewayError (configs.errors)
+-- ServerUnavailable     1  no answer, or one that says to come again: refused connection, time-out, 429, 5xx
+-- UsageError
    +-- NotKubeflow       2  something answers at the address, but it is no KFP v2 API
    +-- RequestRefused    2  the server said no: 400, 401, 403, 404, 409
"""

from __future__ import annotations

from configs.errors import SluicewayError, UsageError


class ServerUnavailable(SluicewayError):
    """The server did not answer, or could not; the same request may work later."""


class NotKubeflow(UsageError):
    """What answers at the address is no Kubeflow Pipelines v2 API."""


class RequestRefused(UsageError):
    """The server understood the request and said no. ``status`` is the HTTP status."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
