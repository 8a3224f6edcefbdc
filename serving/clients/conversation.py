"""What is said between a client and a server for each call of the contract, whatever carries it: steps without I/O."""

from __future__ import annotations

import math
import operator
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy.typing as npt

from serving.clients.base import Answers, Classes, Features, Outputs, Signatures, bad_request, find_signature, latest_available
from serving.clients.options import Options
from serving.clients.retry import Deadline, Steps, asked
from serving.clients.signatures import SignatureCache
from serving.errors import BadRequest, ModelNotFound, PredictError
from serving.protocol.routes import Target
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import Code, VersionStatus

T = TypeVar("T")
_LARGEST_VERSION = 2**63 - 1


class Dialect(Protocol):
    """One transport's words: calls from values, values from answers. Builders raise BadRequest, readers ValueError."""

    def predict(self, target: Target, inputs: Mapping[str, npt.ArrayLike], spec: SignatureSpec, signature: str | None) -> Any: ...

    def read_outputs(self, answer: Any, spec: SignatureSpec) -> Outputs: ...

    def classify(self, target: Target, examples: Sequence[Features], signature: str | None) -> Any: ...

    def read_classes(self, answer: Any) -> Answers[Classes]: ...

    def regress(self, target: Target, examples: Sequence[Features], signature: str | None) -> Any: ...

    def read_values(self, answer: Any) -> Answers[float]: ...

    def status(self, target: Target) -> Any: ...

    def read_status(self, answer: Any) -> list[VersionStatus]: ...

    def metadata(self, target: Target) -> Any: ...

    def read_metadata(self, answer: Any) -> Signatures: ...


def target_of(model: str, version: int | None, label: str | None) -> Target:
    """Whom a call asks. Raises BadRequest for both a version and a label, and for what is none."""
    if version is not None and label is not None:
        raise bad_request(f"version {version} and label {label!r} are both given: a call takes one of them")
    if label == "":
        raise bad_request("the label is empty")
    try:
        number = None if version is None else operator.index(version)
        (model + (label or "")).encode()
    except (TypeError, UnicodeEncodeError) as error:
        raise bad_request(f"model {model!r}, version {version!r}, label {label!r}: {error}") from error
    if number is not None and not 0 <= number <= _LARGEST_VERSION:
        raise bad_request(f"version {number} is not between 0 and 2^63-1")
    return Target(model, number, label)


class Conversation:
    """The calls of one client. Safe in several threads; ``clock`` and ``chance`` are there for tests."""

    def __init__(
        self,
        dialect: Dialect,
        address: str,
        options: Options,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._dialect, self._address, self._options = dialect, address, options
        self._clock, self._chance = clock, chance
        self._cache = SignatureCache()

    def predict(self, target: Target, inputs: Mapping[str, npt.ArrayLike], signature: str | None, timeout: float | None) -> Steps[Outputs]:
        """See `PredictClient.predict`."""
        deadline = self._deadline(timeout)
        known = self._cache.get(target)
        try:
            spec, call = self._fit(known or (yield from self._signatures(target, deadline)), target, inputs, signature)
        except BadRequest:
            if known is None:
                raise
            # What is remembered may be of a version that was swapped out; only the server knows.
            spec, call = self._fit((yield from self._signatures(target, deadline)), target, inputs, signature)
        try:
            answer = yield from self._asked(call, deadline)
        except PredictError:
            self._cache.forget(target)
            raise
        try:
            return self._dialect.read_outputs(answer, spec)
        except ValueError:
            # The version may have been swapped since the signature was read: read the same answer by the new one.
            spec = find_signature((yield from self._signatures(target, deadline)), signature)
        return self._read(self._dialect.read_outputs, answer, spec)

    def classify(
        self, target: Target, examples: Sequence[Features], signature: str | None, timeout: float | None
    ) -> Steps[Answers[Classes]]:
        """See `PredictClient.classify`."""
        answer = yield from self._asked(self._dialect.classify(target, examples, signature), self._deadline(timeout))
        return self._read(self._dialect.read_classes, answer)

    def regress(self, target: Target, examples: Sequence[Features], signature: str | None, timeout: float | None) -> Steps[Answers[float]]:
        """See `PredictClient.regress`."""
        answer = yield from self._asked(self._dialect.regress(target, examples, signature), self._deadline(timeout))
        return self._read(self._dialect.read_values, answer)

    def status(self, target: Target, timeout: float | None) -> Steps[list[VersionStatus]]:
        """See `PredictClient.status`. TF Serving takes no label here, and would answer with every version: it is looked up."""
        deadline = self._deadline(timeout)
        if target.label is not None:
            target = Target(target.model, (yield from self._metadata(target, deadline)).version)
        return self._read(self._dialect.read_status, (yield from self._asked(self._dialect.status(target), deadline)))

    def metadata(self, target: Target, timeout: float | None) -> Steps[Signatures]:
        """See `PredictClient.metadata`."""
        return (yield from self._metadata(target, self._deadline(timeout)))

    def live_version(self, target: Target, timeout: float | None) -> Steps[int | None]:
        """See `PredictClient.live_version`."""
        try:
            if target.label is None:
                return latest_available((yield from self.status(target, timeout)))
            return (yield from self.metadata(target, timeout)).version
        except ModelNotFound:
            return None
        except BadRequest:  # how TF Serving calls a label that it does not have, or of a model that it does not have
            if target.label is None:
                raise
            return None

    def _fit(
        self, signatures: Signatures, target: Target, inputs: Mapping[str, npt.ArrayLike], signature: str | None
    ) -> tuple[SignatureSpec, Any]:
        spec = find_signature(signatures, signature)
        if set(inputs) != set(spec.inputs):
            listed, got = ", ".join(sorted(spec.inputs)) or "nothing", ", ".join(sorted(inputs)) or "nothing"
            raise bad_request(f"signature {spec.name} takes {listed}, got {got}")
        return spec, self._dialect.predict(target, inputs, spec, signature)

    def _signatures(self, target: Target, deadline: Deadline) -> Steps[Signatures]:
        signatures = yield from self._metadata(target, deadline)
        self._cache.put(target, signatures)
        return signatures

    def _metadata(self, target: Target, deadline: Deadline) -> Steps[Signatures]:
        answer = yield from self._asked(self._dialect.metadata(target), deadline)
        return self._read(self._dialect.read_metadata, answer)

    def _asked(self, call: Any, deadline: Deadline) -> Steps[Any]:
        return asked(call, self._options.retries, deadline, self._chance)

    def _deadline(self, timeout: float | None) -> Deadline:
        seconds = self._options.timeout if timeout is None else timeout
        if not (seconds > 0 and math.isfinite(seconds)):
            raise bad_request(f"timeout={seconds} is not a number of seconds above 0")
        return Deadline(seconds, self._clock, self._address)

    def _read(self, read: Callable[..., T], *what: Any) -> T:
        try:
            return read(*what)
        except ValueError as error:
            raise PredictError(f"{self._address}: {error}", code=Code.INTERNAL.name) from error
