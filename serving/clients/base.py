"""The contract of a client: named arrays in, named arrays out, the same over every transport.

    opened --predict, classify, regress, status, metadata--> opened --close--> closed

Errors are `serving.errors.PredictError` and below, with the canonical code of the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from serving.errors import BadRequest, ModelNotFound, PredictError, Unavailable
from serving.protocol.signature import DEFAULT_SIGNATURE, SignatureSpec
from serving.protocol.status import Code, State, VersionStatus

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")
Array = np.ndarray[Any, Any]
Features = Mapping[str, Any]
"""One example: feature name to a value or a list of values, each an int, a bool, a float, a str or bytes."""
Classes = list[tuple[str, float]]
"""The classes of one example, as (label, score)."""

DEFAULT_TIMEOUT_SECONDS = 30.0

_BAD_REQUEST = frozenset({Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION, Code.OUT_OF_RANGE, Code.UNIMPLEMENTED})
_UNAVAILABLE = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED})


class Outputs(dict[str, Array]):
    """Arrays by name. ``version`` gave them; None where the wire does not tell, as TF Serving's REST API."""

    def __init__(self, arrays: Mapping[str, Array], version: int | None = None) -> None:
        super().__init__(arrays)
        self.version = version


class Answers(list[T]):
    """One answer for each example. ``version`` gave them; None where the wire does not tell."""

    def __init__(self, answers: Iterable[T], version: int | None = None) -> None:
        super().__init__(answers)
        self.version = version


class Signatures(dict[str, SignatureSpec]):
    """The signatures of ``version``, by name."""

    def __init__(self, signatures: Mapping[str, SignatureSpec], version: int | None = None) -> None:
        super().__init__(signatures)
        self.version = version


class PredictClient(Protocol):
    """Asks one model server. Safe to use from several threads.

    ``version`` or ``label`` chooses the version; both are a `BadRequest`, neither is the latest. ``timeout`` is in seconds, for the
    whole call with its retries. Every method may raise what `serving.errors` lists below PredictError.
    """

    def predict(
        self,
        model: str,
        inputs: Mapping[str, npt.ArrayLike],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> Outputs:
        """The outputs of one call, in the element types of the signature; strings are objects of type bytes."""

    def classify(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> Answers[Classes]:
        """For each example its classes."""

    def regress(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> Answers[float]:
        """For each example its value."""

    def status(
        self, model: str, version: int | None = None, *, label: str | None = None, timeout: float | None = None
    ) -> list[VersionStatus]:
        """Every version the server holds or held, highest first; with a version or a label, that one."""

    def metadata(self, model: str, version: int | None = None, *, label: str | None = None, timeout: float | None = None) -> Signatures:
        """The signatures of a version, by name."""

    def live_version(self, model: str, *, label: str | None = None, timeout: float | None = None) -> int | None:
        """The version that a request without a version, or with this label, gets now; None when there is none."""

    def close(self) -> None:
        """Let go of the connections. May be called twice; a call after it is a UsageError."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None: ...


class AsyncPredictClient(Protocol):
    """`PredictClient` for asyncio: the same methods, awaited. It belongs to the event loop of its first call."""

    async def predict(
        self,
        model: str,
        inputs: Mapping[str, npt.ArrayLike],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> Outputs:
        """See `PredictClient.predict`."""

    async def classify(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> Answers[Classes]:
        """See `PredictClient.classify`."""

    async def regress(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> Answers[float]:
        """See `PredictClient.regress`."""

    async def status(
        self, model: str, version: int | None = None, *, label: str | None = None, timeout: float | None = None
    ) -> list[VersionStatus]:
        """See `PredictClient.status`."""

    async def metadata(
        self, model: str, version: int | None = None, *, label: str | None = None, timeout: float | None = None
    ) -> Signatures:
        """See `PredictClient.metadata`."""

    async def live_version(self, model: str, *, label: str | None = None, timeout: float | None = None) -> int | None:
        """See `PredictClient.live_version`."""

    async def close(self) -> None:
        """See `PredictClient.close`."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None: ...


def answered_by(answer: Any) -> int | None:
    """The version that gave an answer, where the wire told it. Other clients of this contract may return plain containers."""
    version: int | None = getattr(answer, "version", None)
    return version


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


def bad_request(message: str) -> BadRequest:
    """The caller's mistake, found before anything was sent."""
    return BadRequest(message, code=Code.INVALID_ARGUMENT.name)


def find_signature(signatures: Mapping[str, SignatureSpec], name: str | None) -> SignatureSpec:
    """The signature a call names, or the default one. Raises BadRequest."""
    wanted = name or DEFAULT_SIGNATURE
    if wanted not in signatures:
        listed = ", ".join(sorted(signatures)) or "none"
        raise bad_request(f"the model has no signature {wanted}; it has: {listed}")
    return signatures[wanted]


def is_loopback(address: str) -> bool:
    """Is this server on our own machine, where no proxy can be meant?"""
    host = address.split("://", 1)[-1].rsplit(":", 1)[0].strip("[]")
    return host in ("localhost", "::1") or host.startswith("127.")
