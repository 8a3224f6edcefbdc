"""The REST API's words: paths and JSON from values, values from JSON. Needs numpy, neither protobuf nor TensorFlow."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.clients.base import Answers, Classes, Features, Outputs, Signatures, bad_request, error_for
from serving.clients.http import httpx
from serving.clients.retry import ConnectionLost
from serving.errors import PredictError
from serving.protocol import metadata, predict, routes
from serving.protocol.routes import Target
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import Code, VersionStatus, code_of_http, read_status_json

# A gateway names the version that answered; TF Serving's REST API cannot.
VERSION_HEADER = "x-model-version"


@dataclass(frozen=True)
class HttpCall:
    """A request without its host."""

    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True)
class Document:
    """The JSON of an answer, and the version that a gateway says it came from."""

    content: Any
    version: int | None


class RestDialect:
    """A `serving.clients.conversation.Dialect` of `HttpCall` and `Document`."""

    def predict(self, target: Target, inputs: Mapping[str, npt.ArrayLike], spec: SignatureSpec, signature: str | None) -> HttpCall:
        """See `Dialect`."""
        try:
            return HttpCall("POST", routes.build("predict", target), predict.build_request(inputs, spec, signature))
        except ValueError as error:
            raise bad_request(str(error)) from error

    def read_outputs(self, answer: Document, spec: SignatureSpec) -> Outputs:
        """See `Dialect`."""
        return Outputs(predict.read_outputs(answer.content, spec), answer.version)

    def classify(self, target: Target, examples: Sequence[Features], signature: str | None) -> HttpCall:
        """See `Dialect`."""
        return HttpCall("POST", routes.build("classify", target), _examples_body(examples, signature))

    def read_classes(self, answer: Document) -> Answers[Classes]:
        """See `Dialect`."""
        try:
            rows = [[(label, float(np.float32(score))) for label, score in classes] for classes in answer.content["results"]]
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an answer of classify: {str(answer.content)[:200]}") from error
        return Answers(rows, answer.version)

    def regress(self, target: Target, examples: Sequence[Features], signature: str | None) -> HttpCall:
        """See `Dialect`."""
        return HttpCall("POST", routes.build("regress", target), _examples_body(examples, signature))

    def read_values(self, answer: Document) -> Answers[float]:
        """See `Dialect`."""
        try:
            return Answers([float(np.float32(value)) for value in answer.content["results"]], answer.version)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an answer of regress: {str(answer.content)[:200]}") from error

    def status(self, target: Target) -> HttpCall:
        """See `Dialect`."""
        return HttpCall("GET", routes.build("status", target))

    def read_status(self, answer: Document) -> list[VersionStatus]:
        """See `Dialect`."""
        return read_status_json(answer.content)

    def metadata(self, target: Target) -> HttpCall:
        """See `Dialect`."""
        return HttpCall("GET", routes.build("metadata", target))

    def read_metadata(self, answer: Document) -> Signatures:
        """See `Dialect`."""
        version, signatures = metadata.read_metadata_json(answer.content)
        return Signatures(signatures, version)


def read_response(address: str, status: int, headers: Mapping[str, str], content: bytes) -> Document:
    """What an HTTP answer holds. Raises PredictError for one that is an error, or no JSON."""
    success = 200 <= status < 300
    try:
        document = json.loads(content.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        if success:
            raise PredictError(f"{address} answered with something other than JSON", code=Code.INTERNAL.name) from error
        document = None
    if not success:
        message = document.get("error") if isinstance(document, dict) else None
        raise error_for(code_of_http(status), str(message) if message else f"{address} answered HTTP {status}")
    version = headers.get(VERSION_HEADER, "")
    return Document(document, int(version) if version.isascii() and version.isdigit() else None)


def failure(address: str, error: Exception) -> PredictError:
    """The error to raise where httpx, or the end of a call's time, gave this one instead of an answer."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return error_for(Code.DEADLINE_EXCEEDED, f"{address} did not answer in time ({type(error).__name__})")
    text = f"{address} cannot be reached: {error}"
    return error_for(Code.UNAVAILABLE, text) if isinstance(error, httpx.ConnectError) else ConnectionLost(text, code=Code.UNAVAILABLE.name)


def _examples_body(examples: Sequence[Features], signature: str | None) -> bytes:
    document: dict[str, Any] = {} if signature is None else {"signature_name": signature}
    document["examples"] = [{name: _feature(value) for name, value in example.items()} for example in examples]
    try:
        return json.dumps(document, separators=(",", ":")).encode()
    except TypeError as error:
        raise bad_request(f"a feature is of a type that no example holds: {error}") from error


def _feature(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, (list, tuple)):
        return [_feature(item) for item in value]
    return value
