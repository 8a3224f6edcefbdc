"""One model server, asked over gRPC without blocking: signatures remembered, failures counted, calls bounded."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from configs.errors import ConfigError
from configs.gateway import Breaker, Tls, Upstream
from serving.clients.base import is_loopback
from serving.gateway.breaker import CircuitBreaker
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

    def __init__(self, name: str, config: Upstream, breaker: Breaker) -> None:
        """Raises ConfigError: a file of its TLS cannot be read."""
        self.name, self.config = name, config
        self.limits = breaker
        # By model: one that is slow must not shut the others off. Only of models whose last call failed.
        self._breakers: dict[str, CircuitBreaker] = {}
        self._channel = _channel(name, config)
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
            counted: whether a failure counts against the server; that of a copy does not, for its version is on trial.
        """
        answer: wire.PredictResponse = await self._call(f"{_PREDICTION}/Predict", request, timeout, counted=counted)
        return answer

    async def classify(self, request: wire.ClassificationRequest, timeout: float) -> wire.ClassificationResponse:
        """Classes of tf.Examples."""
        answer: wire.ClassificationResponse = await self._call(f"{_PREDICTION}/Classify", request, timeout)
        return answer

    async def regress(self, request: wire.RegressionRequest, timeout: float) -> wire.RegressionResponse:
        """Values of tf.Examples."""
        answer: wire.RegressionResponse = await self._call(f"{_PREDICTION}/Regress", request, timeout)
        return answer

    async def status(self, model: str, timeout: float, target: Target | None = None) -> list[VersionStatus]:
        """Every version that the server holds or held, highest first."""
        request = wire.GetModelStatusRequest(model_spec=model_spec(model, target or Target()))
        answer = await self._call(f"{_MODEL}/GetModelStatus", request, timeout)
        return [
            VersionStatus(row.version, State(row.state), Code(row.status.error_code), row.status.error_message)
            for row in answer.model_version_status
        ]

    async def signatures(self, model: str, target: Target, timeout: float, *, fresh: bool = False) -> Known:
        """What a target takes and gives; remembered for seconds, because versions are swapped under their labels."""
        key, now = (model, target), time.monotonic()
        known = self._known.get(key)
        if known is not None and not fresh and now - known.at < _KNOWN_SECONDS:
            return known
        answer, definitions = await self.definitions(model, target, timeout)
        known = Known(answer.model_spec.version.value, metadata.from_messages(definitions), now)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = known
        return known

    async def definitions(self, model: str, target: Target, timeout: float) -> tuple[wire.GetModelMetadataResponse, Mapping[str, Any]]:
        """The server's own messages about a target's signatures."""
        request = wire.GetModelMetadataRequest(model_spec=model_spec(model, target), metadata_field=["signature_def"])
        answer = await self._call(f"{_PREDICTION}/GetModelMetadata", request, timeout)
        return answer, wire.SignatureDefMap.FromString(answer.metadata["signature_def"].value).signature_def

    async def reachable(self, timeout: float) -> bool:
        """Whether the server answers at all; what it says about a model that it does not have is an answer."""
        try:
            await self._calls[f"{_MODEL}/GetModelStatus"](wire.GetModelStatusRequest(model_spec=wire.ModelSpec(name="?")), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            return Code[error.code().name] not in _ITS_FAULT
        return True

    async def close(self, grace_seconds: float) -> None:
        """Let calls under way end for so long, and go."""
        await self._channel.close(grace=grace_seconds)

    async def _call(self, path: str, request: Any, timeout: float, *, counted: bool = True) -> Any:
        model = request.model_spec.name
        breaker = self._breakers.get(model)
        if breaker is not None:
            left = breaker.seconds_left()
            if left > 0:
                raise LeftAlone(self.name, left)
            breaker.sent()
        try:
            answer = await self._calls[path](request, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            code = Code[error.code().name]
            if code not in _ITS_FAULT:
                self._breakers.pop(model, None)
            elif counted:
                self._failed(model)
            raise StatusError(code, _told(self.name, code, error.details() or "", timeout)) from error
        except BaseException:
            if breaker is not None:
                breaker.abandoned()
            raise
        self._breakers.pop(model, None)
        return answer

    def _failed(self, model: str) -> None:
        if model not in self._breakers and len(self._breakers) >= _MOST_KNOWN:
            return
        self._breakers.setdefault(model, CircuitBreaker(self.limits, time.monotonic)).failed()


def model_spec(model: str, target: Target, signature: str = "") -> wire.ModelSpec:
    """Which model, version and signature, as a message."""
    spec = wire.ModelSpec(name=model, signature_name=signature)
    if target.version is not None:
        spec.version.value = target.version
    elif target.label is not None:
        spec.version_label = target.label
    return spec


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


def _channel(name: str, config: Upstream) -> grpc.aio.Channel:
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
    return grpc.aio.secure_channel(config.grpc, _credentials(name, config.tls), options=options)


def _credentials(name: str, tls: Tls) -> grpc.ChannelCredentials:
    if (tls.cert_file is None) != (tls.key_file is None):
        raise ConfigError(f"gateway.upstreams.{name}.tls: cert_file and key_file belong together")
    return grpc.ssl_channel_credentials(
        _pem(name, "ca_file", tls.ca_file), _pem(name, "key_file", tls.key_file), _pem(name, "cert_file", tls.cert_file)
    )


def _pem(name: str, field: str, place: str | None) -> bytes | None:
    if place is None:
        return None
    try:
        return Path(place).expanduser().read_bytes()
    except OSError as error:
        raise ConfigError(f"gateway.upstreams.{name}.tls.{field}: {place} cannot be read: {error.strerror}") from error
