"""What a server says about itself and about a request: version states, canonical codes, their HTTP numbers and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from configs.errors import SluicewayError


class Code(IntEnum):
    """Canonical status codes, the same numbers in gRPC, absl and TensorFlow."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


HTTP_STATUS: Mapping[Code, int] = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}
# Several codes share a number; a REST client names the one that servers send most.
_CODE_OF_HTTP = {
    200: Code.OK,
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    409: Code.ABORTED,
    429: Code.RESOURCE_EXHAUSTED,
    499: Code.CANCELLED,
    500: Code.INTERNAL,
    501: Code.UNIMPLEMENTED,
    503: Code.UNAVAILABLE,
    504: Code.DEADLINE_EXCEEDED,
}


def code_of_http(status: int) -> Code:
    """The canonical code that an HTTP status stands for; UNKNOWN when it stands for none."""
    return _CODE_OF_HTTP.get(status, Code.UNKNOWN)


class StatusError(SluicewayError):
    """A request or a load that failed, as it goes over the wire: a canonical code and a message."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


def invalid(message: str) -> StatusError:
    """The most common refusal: the request itself is wrong."""
    return StatusError(Code.INVALID_ARGUMENT, message)


class State(IntEnum):
    """Where a model version is in its life. The numbers are TF Serving's."""

    UNKNOWN = 0
    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True)
class VersionStatus:
    """One version and where it stands; an END that is not OK carries the reason."""

    version: int
    state: State
    code: Code = Code.OK
    message: str = ""


def error_json(message: str) -> str:
    """The body of every REST error."""
    return json.dumps({"error": message}, indent=4, ensure_ascii=False)


def status_json(statuses: Sequence[VersionStatus]) -> str:
    """The body of a REST status answer. Versions are strings there: JSON numbers do not hold every int64."""
    rows = [
        {
            "version": str(status.version),
            "state": status.state.name,
            "status": {"error_code": status.code.name, "error_message": status.message},
        }
        for status in statuses
    ]
    return json.dumps({"model_version_status": rows}, indent=1, ensure_ascii=False)


def read_status_json(document: Any) -> list[VersionStatus]:
    """The value behind `status_json`. Raises ValueError when the document is something else."""
    try:
        return [
            VersionStatus(
                version=int(row["version"]),
                state=State[row["state"]],
                code=Code[row.get("status", {}).get("error_code", "OK")],
                message=row.get("status", {}).get("error_message", ""),
            )
            for row in document["model_version_status"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a model status: {error!r} in {str(document)[:200]}") from error
