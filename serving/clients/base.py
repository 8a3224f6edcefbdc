"""The contract of a client: named arrays in, named arrays out, the same over every transport.

    opened --predict, classify, regress, status, metadata--> opened --close--> closed

Errors are `serving.errors.PredictError` and below, with the canonical code of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from serving.errors import BadRequest, ModelNotFound, PredictError, Unavailable
from serving.protocol.signature import DEFAULT_SIGNATURE, SignatureSpec
from serving.protocol.status import Code, State, VersionStatus

Array = np.ndarray[Any, Any]
Features = Mapping[str, Any]
"""One example: feature name to a value or a list of values, each an int, a bool, a float, a str or bytes."""

DEFAULT_TIMEOUT_SECONDS = 30.0

_BAD_REQUEST = frozenset({Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION, Code.OUT_OF_RANGE, Code.UNIMPLEMENTED})
_UNAVAILABLE = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED})


class PredictClient(Protocol):
    """Asks one model server. Safe to use from several threads. ``version`` None is the latest, ``timeout`` is in seconds."""

    def predict(
        self,
        model: str,
        inputs: Mapping[str, npt.ArrayLike],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> dict[str, Array]:
        """The outputs of one call, in the element types of the signature; strings are objects of type bytes."""

    def classify(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> list[list[tuple[str, float]]]:
        """For each example its classes, as (label, score)."""

    def regress(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> list[float]:
        """For each example its value."""

    def status(self, model: str, version: int | None = None, *, timeout: float | None = None) -> list[VersionStatus]:
        """Every version the server holds or held, highest first."""

    def metadata(self, model: str, version: int | None = None, *, timeout: float | None = None) -> dict[str, SignatureSpec]:
        """The signatures of a version, by name."""

    def live_version(self, model: str) -> int | None:
        """The version that a request without a version gets now; None when there is none."""

    def close(self) -> None:
        """Let go of the connections. May be called twice."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None: ...


def latest_available(statuses: Sequence[VersionStatus]) -> int | None:
    """The version that answers requests without a version."""
    return max((status.version for status in statuses if status.state is State.AVAILABLE), default=None)


def error_for(code: Code, message: str) -> PredictError:
    """The error to raise for an answer with this code."""
    if code in _BAD_REQUEST:
        return BadRequest(message, code=code.name)
    if code is Code.NOT_FOUND:
        return ModelNotFound(message, code=code.name)
    if code in _UNAVAILABLE:
        return Unavailable(message, code=code.name)
    return PredictError(message, code=code.name)


def find_signature(signatures: Mapping[str, SignatureSpec], name: str | None) -> SignatureSpec:
    """The signature a call names, or the default one. Raises BadRequest."""
    wanted = name or DEFAULT_SIGNATURE
    if wanted not in signatures:
        listed = ", ".join(sorted(signatures)) or "none"
        raise BadRequest(f"the model has no signature {wanted}; it has: {listed}", code=Code.INVALID_ARGUMENT.name)
    return signatures[wanted]


def is_loopback(address: str) -> bool:
    """Is this server on our own machine, where no proxy can be meant?"""
    host = address.split("://", 1)[-1].rsplit(":", 1)[0].strip("[]")
    return host in ("localhost", "::1") or host.startswith("127.")
