"""One model server, asked over gRPC without blocking: signatures remembered, failures counted, calls bounded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from configs.gateway import Breaker, Upstream
from serving.clients.base import is_loopback
from serving.gateway.breaker import CircuitBreaker
from serving.gateway.pem import Pem
from serving.gateway.routing import Target
from serving.protocol import metadata
from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import Code, State, StatusError, VersionStatus

_PREDICTION = "/tensorflow.serving.PredictionService"
_MODEL = "/tensorflow.serving.ModelService"
_ANSWERS: dict[str, Any] = {
    f"{_PREDICTION}/Predict": wire.PredictResponse,
    f"{_PREDICTION}/Classify": wire.ClassificationResponse,
    f"{_PREDICTION}/Regress": wire.RegressionResponse,
    f"{_PREDICTION}/GetModelMetadata": wire.GetModelMetadataResponse,
    f"{_MODEL}/GetModelStatus": wire.GetModelStatusResponse,
}
# A server that is not there, or too slow. Other errors are a model's, and another version of it may do better.
_ITS_FAULT = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED})
_KNOWN_SECONDS = 5.0
_MOST_KNOWN = 1000


@dataclass(frozen=True)
class Known:
    """The signatures of a target as they were at a moment, and the version that it stood for."""

    version: int
    signatures: Mapping[str, SignatureSpec]
    at: float


class LeftAlone(StatusError):
    """The upstream has failed often and is not asked now; ``seconds``: for how long."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(Code.UNAVAILABLE, f"the model server {name} does not answer; it is tried again in {max(1, round(seconds))} s")
        self.seconds = seconds


class UpstreamServer:
    """Belongs to one event loop."""

    def __init__(self, name: str, config: Upstream, breaker: Breaker, now: Callable[[], float] = time.monotonic) -> None:
        """Raises ConfigError: a file of its TLS cannot be used."""
        self.name, self.limits, self._now = name, breaker, now
        self.made_of = ingredients(name, config, breaker)
        # By model: one that is slow must not shut the others off. Only of models whose last call failed.
        self._breakers: dict[str, CircuitBreaker] = {}
        self._channel = _channel(config, self.made_of[2])
        self._calls = {
            path: self._channel.unary_unary(path, request_serializer=_serialized, response_deserializer=answer.FromString)
            for path, answer in _ANSWERS.items()
        }
        self._known: dict[tuple[str, Target], Known] = {}

    @property
    def is_open(self) -> bool:
        """Whether calls of some model are being left alone."""
        return any(breaker.is_open for breaker in self._breakers.values())

    async def predict(self, request: wire.PredictRequest, timeout: float, *, counted: bool = True) -> wire.PredictResponse:
        """Raises StatusError, as every method here.

        Args:
            counted: whether it tells of the server's health, good or bad; a copy does not, for its version is on trial.
        """
        answer: wire.PredictResponse = await self._call(f"{_PREDICTION}/Predict", request, timeout, counted=counted)
        return answer

    async def classify(self, request: wire.ClassificationRequest, timeout: float, *, counted: bool = True) -> wire.ClassificationResponse:
        """Classes of tf.Examples."""
        answer: wire.ClassificationResponse = await self._call(f"{_PREDICTION}/Classify", request, timeout, counted=counted)
        return answer

    async def regress(self, request: wire.RegressionRequest, timeout: float, *, counted: bool = True) -> wire.RegressionResponse:
        """Values of tf.Examples."""
        answer: wire.RegressionResponse = await self._call(f"{_PREDICTION}/Regress", request, timeout, counted=counted)
        return answer

    async def status(self, model: str, timeout: float, target: Target | None = None) -> list[VersionStatus]:
        """Every version that the server holds or held, highest first."""
        request = wire.GetModelStatusRequest(model_spec=model_spec(model, target or Target()))
        answer = await self._ask(f"{_MODEL}/GetModelStatus", request, timeout)
        return [
            VersionStatus(row.version, State(row.state), Code(row.status.error_code), row.status.error_message)
            for row in answer.model_version_status
        ]

    async def signatures(
        self, model: str, target: Target, timeout: float, *, oldest: float = _KNOWN_SECONDS, counted: bool = True
    ) -> Known:
        """What a target takes and gives; remembered for seconds, because versions are swapped under their labels.

        Args:
            oldest: how many seconds old what is remembered may be.
            counted: asked on the way to a prediction, so a server that is left alone is not asked, and one that is not there counts.
                That it answers says nothing: a model whose predictions hang tells its signatures all the same.
        """
        key, now = (model, target), self._now()
        known = self._known.get(key)
        if known is not None and now - known.at < oldest:
            return known
        request = _metadata_request(model, target)
        path = f"{_PREDICTION}/GetModelMetadata"
        answer = await (self._call(path, request, timeout, clears=False) if counted else self._ask(path, request, timeout))
        known = Known(answer.model_spec.version.value, metadata.from_messages(_definitions_of(answer)), now)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = known
        return known

    async def definitions(self, model: str, target: Target, timeout: float) -> tuple[wire.GetModelMetadataResponse, Mapping[str, Any]]:
        """The server's own messages about a target's signatures."""
        answer = await self._ask(f"{_PREDICTION}/GetModelMetadata", _metadata_request(model, target), timeout)
        return answer, _definitions_of(answer)

    async def reachable(self, timeout: float) -> bool:
        """Whether the server answers at all; what it says about a model that it does not have is an answer."""
        try:
            await self._calls[f"{_MODEL}/GetModelStatus"](wire.GetModelStatusRequest(model_spec=wire.ModelSpec(name="?")), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            return Code[error.code().name] not in _ITS_FAULT
        return True

    async def close(self) -> None:
        """Go; a call that is under way, or comes later, fails."""
        await self._channel.close()

    async def _call(self, path: str, request: Any, timeout: float, *, counted: bool = True, clears: bool = True) -> Any:
        """Through the model's breaker. ``clears``: whether an answer says that the model is well."""
        model = request.model_spec.name
        breaker = self._breakers.get(model)
        if breaker is not None:
            left = breaker.seconds_left()
            if left > 0:
                raise LeftAlone(self.name, left)
            if counted:
                breaker.sent()
        is_well: bool | None = None
        try:
            answer = await self._ask(path, request, timeout)
            is_well = clears or None
        except StatusError as error:
            is_well = False if error.code in _ITS_FAULT else clears or None
            raise
        finally:
            if counted and is_well:
                self._breakers.pop(model, None)
            elif counted and is_well is not None:
                self._failed(model)
            elif counted and breaker is not None:
                breaker.abandoned()
        return answer

    async def _ask(self, path: str, request: Any, timeout: float) -> Any:
        try:
            return await self._calls[path](request, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            code = Code[error.code().name]
            raise StatusError(code, _told(self.name, code, error.details() or "", timeout)) from error
        except grpc.aio.UsageError as error:  # closed: the request began before the configuration changed
            raise StatusError(Code.UNAVAILABLE, _told(self.name, Code.UNAVAILABLE, "", timeout)) from error

    def _failed(self, model: str) -> None:
        if model not in self._breakers and len(self._breakers) >= _MOST_KNOWN:
            return
        self._breakers.setdefault(model, CircuitBreaker(self.limits, self._now)).failed()


def ingredients(name: str, config: Upstream, breaker: Breaker) -> tuple[Upstream, Breaker, Pem]:
    """What an upstream is made of: when one of these is another, also a certificate that was renewed in its file, so must the upstream be.

    Raises:
        ConfigError: a file of its TLS cannot be used.
    """
    return config, breaker, Pem.read(name, config.tls)


def model_spec(model: str, target: Target, signature: str = "") -> wire.ModelSpec:
    """Which model, version and signature, as a message."""
    spec = wire.ModelSpec(name=model, signature_name=signature)
    if target.version is not None:
        spec.version.value = target.version
    elif target.label is not None:
        spec.version_label = target.label
    return spec


def _metadata_request(model: str, target: Target) -> wire.GetModelMetadataRequest:
    return wire.GetModelMetadataRequest(model_spec=model_spec(model, target), metadata_field=["signature_def"])


def _definitions_of(answer: wire.GetModelMetadataResponse) -> Mapping[str, Any]:
    definitions: Mapping[str, Any] = wire.SignatureDefMap.FromString(answer.metadata["signature_def"].value).signature_def
    return definitions


def _told(name: str, code: Code, details: str, timeout: float) -> str:
    """The server's own words, but where it has none."""
    if code is Code.UNAVAILABLE:
        return f"the model server {name} cannot be reached"
    if code is Code.DEADLINE_EXCEEDED:
        return f"the model server {name} did not answer within {timeout:g} s"
    return details


def _serialized(message: Any) -> bytes:
    content: bytes = message.SerializeToString()
    return content


def _channel(config: Upstream, pem: Pem) -> grpc.aio.Channel:
    options: list[tuple[str, Any]] = [
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        ("grpc.enable_http_proxy", int(not is_loopback(config.grpc))),
        # A name may stand for several pods: each request goes to the next.
        ("grpc.lb_policy_name", "round_robin"),
        ("grpc.enable_retries", 0),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]
    if config.tls is None:
        return grpc.aio.insecure_channel(config.grpc, options=options)
    if config.tls.server_name:
        options.append(("grpc.ssl_target_name_override", config.tls.server_name))
    return grpc.aio.secure_channel(config.grpc, grpc.ssl_channel_credentials(pem.ca, pem.key, pem.cert), options=options)
