"""The REST client. Needs numpy and httpx, neither protobuf nor TensorFlow."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import httpx
import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from serving.clients.base import (
    DEFAULT_TIMEOUT_SECONDS,
    Array,
    Features,
    error_for,
    find_signature,
    is_loopback,
    latest_available,
)
from serving.clients.signatures import SignatureCache
from serving.errors import BadRequest, ModelNotFound, PredictError
from serving.protocol import metadata, predict, routes
from serving.protocol.routes import Target
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import Code, VersionStatus, code_of_http, read_status_json

T = TypeVar("T")


class RestClient:
    """A `PredictClient` over HTTP. ``address``: ``http://host:port``; the scheme may be left out."""

    def __init__(self, address: str) -> None:
        self.address = address if "://" in address else f"http://{address}"
        self._http = httpx.Client(
            base_url=self.address.rstrip("/"), timeout=DEFAULT_TIMEOUT_SECONDS, trust_env=not is_loopback(self.address)
        )
        self._signatures = SignatureCache(self.metadata)

    def predict(
        self,
        model: str,
        inputs: Mapping[str, npt.ArrayLike],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> dict[str, Array]:
        """See `PredictClient.predict`."""
        spec = find_signature(self._signatures.get(model, version), signature)
        try:
            body = predict.build_request(inputs, spec, signature)
        except ValueError as error:
            raise BadRequest(str(error), code=Code.INVALID_ARGUMENT.name) from error
        try:
            answer = self._post("predict", Target(model, version), body, timeout)
        except PredictError:
            self._signatures.forget(model, version)
            raise
        try:
            return predict.read_outputs(answer, spec)
        except ValueError:
            # The version may have been swapped since the signature was read: read the same answer by the new one.
            self._signatures.forget(model, version)
            return self._read_again(answer, model, version, signature)

    def _read_again(self, answer: Mapping[str, Any], model: str, version: int | None, signature: str | None) -> dict[str, Array]:
        try:
            return predict.read_outputs(answer, find_signature(self._signatures.get(model, version), signature))
        except ValueError as error:
            raise PredictError(f"{self.address}: {error}", code=Code.INTERNAL.name) from error

    def classify(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> list[list[tuple[str, float]]]:
        """See `PredictClient.classify`."""
        answer = self._post("classify", Target(model, version), _examples_body(examples, signature), timeout)
        return [[(label, float(np.float32(score))) for label, score in classes] for classes in answer["results"]]

    def regress(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> list[float]:
        """See `PredictClient.regress`."""
        answer = self._post("regress", Target(model, version), _examples_body(examples, signature), timeout)
        return [float(np.float32(value)) for value in answer["results"]]

    def status(self, model: str, version: int | None = None, *, timeout: float | None = None) -> list[VersionStatus]:
        """See `PredictClient.status`."""
        answer = self._request("GET", routes.build("status", Target(model, version)), b"", timeout)
        return self._read(read_status_json, answer)

    def metadata(self, model: str, version: int | None = None, *, timeout: float | None = None) -> dict[str, SignatureSpec]:
        """See `PredictClient.metadata`."""
        answer = self._request("GET", routes.build("metadata", Target(model, version)), b"", timeout)
        return self._read(metadata.read_metadata_json, answer)[1]

    def live_version(self, model: str) -> int | None:
        """See `PredictClient.live_version`."""
        try:
            return latest_available(self.status(model))
        except ModelNotFound:
            return None

    def close(self) -> None:
        """See `PredictClient.close`."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _post(self, verb: str, target: Target, body: bytes, timeout: float | None) -> Any:
        return self._request("POST", routes.build(verb, target), body, timeout)

    def _request(self, method: str, path: str, body: bytes, timeout: float | None) -> Any:
        try:
            response = self._http.request(
                method, path, content=body or None, timeout=DEFAULT_TIMEOUT_SECONDS if timeout is None else timeout
            )
        except httpx.TimeoutException as error:
            raise error_for(Code.DEADLINE_EXCEEDED, f"{self.address} did not answer in time ({type(error).__name__})") from error
        except httpx.HTTPError as error:
            raise error_for(Code.UNAVAILABLE, f"{self.address} cannot be reached: {error}") from error
        text = response.content.decode("utf-8", "surrogateescape")
        try:
            document = json.loads(text)
        except ValueError as error:
            if response.is_success:
                raise PredictError(f"{self.address} answered with something other than JSON", code=Code.INTERNAL.name) from error
            document = None
        if not response.is_success:
            message = document.get("error") if isinstance(document, dict) else None
            raise error_for(code_of_http(response.status_code), message or f"{self.address} answered HTTP {response.status_code}")
        return document

    def _read(self, read: Callable[[Any], T], answer: Any) -> T:
        try:
            return read(answer)
        except ValueError as error:
            raise PredictError(f"{self.address}: {error}", code=Code.INTERNAL.name) from error


def _examples_body(examples: Sequence[Features], signature: str | None) -> bytes:
    document: dict[str, Any] = {} if signature is None else {"signature_name": signature}
    document["examples"] = [{name: _feature(value) for name, value in example.items()} for example in examples]
    try:
        return json.dumps(document, separators=(",", ":")).encode()
    except TypeError as error:
        raise BadRequest(f"a feature is of a type that no example holds: {error}", code=Code.INVALID_ARGUMENT.name) from error


def _feature(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, (list, tuple)):
        return [_feature(item) for item in value]
    return value
