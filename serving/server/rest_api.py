"""The REST coat: a route and a body in, a status and a body out. Knows nothing of sockets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from serving.protocol import examples, json_text, metadata, predict, routes, status
from serving.protocol.routes import NoSuchPage, Target
from serving.protocol.signature import DEFAULT_SIGNATURE
from serving.protocol.status import HTTP_STATUS, Code, StatusError, invalid
from serving.server import handlers
from serving.server.models import Models

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; the body is always JSON."""

    status: int
    body: bytes


class RestApi:
    """Answers every request of the REST API. Each method may run in many threads at once."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._verbs: dict[str, Callable[[Target, bytes], str]] = {
            "predict": self._predict,
            "classify": self._classify,
            "regress": self._regress,
            "metadata": self._metadata,
            "status": self._status,
        }

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer one request; never raises."""
        try:
            route = routes.parse(method, path)
            text = self._verbs[route.verb](route.target, body)
        except NoSuchPage:
            return _failure(404, "Not Found")
        except StatusError as error:
            return _failure(HTTP_STATUS[error.code], error.message)
        except Exception as error:  # a fault of ours must cost one request, not the server
            log.exception("%s %s failed", method, path)
            return _failure(500, f"{type(error).__name__}: {error}")
        # Strings that are not UTF-8 leave as they are, like TF Serving's.
        return Answer(200, text.encode("utf-8", "surrogateescape"))

    def _predict(self, target: Target, body: bytes) -> str:
        document = json_text.parse_object(body)
        asked = predict.read_signature_name(document)
        name = asked or DEFAULT_SIGNATURE
        with self._models.lease(target.model, resolve(target)) as lease:
            signature = lease.servable.signatures.get(name)
            if signature is None:
                raise invalid(f'Serving signature name: "{name}" not found in signature def')
            form, inputs = predict.read_inputs(document, signature, asked)
            outputs = handlers.predict(lease.servable, name, inputs)
        return predict.write_outputs(outputs, form)

    def _classify(self, target: Target, body: bytes) -> str:
        document = json_text.parse_object(body)
        name, batch = predict.read_signature_name(document), examples.read_examples(document)
        with self._models.lease(target.model, resolve(target)) as lease:
            return examples.write_classifications(handlers.classify(lease.servable, name, batch))

    def _regress(self, target: Target, body: bytes) -> str:
        document = json_text.parse_object(body)
        name, batch = predict.read_signature_name(document), examples.read_examples(document)
        with self._models.lease(target.model, resolve(target)) as lease:
            return examples.write_regressions(handlers.regress(lease.servable, name, batch))

    def _metadata(self, target: Target, _: bytes) -> str:
        with self._models.lease(target.model, resolve(target)) as lease:
            return metadata.metadata_json(target.model, lease.version, lease.servable.signature_defs)

    def _status(self, target: Target, _: bytes) -> str:
        # A label is ignored here, as upstream does.
        return status.status_json(self._models.statuses(target.model, target.version))


def resolve(target: Target) -> int | None:
    """The version number that a target means; None is the latest. Raises StatusError for a label: no label is assigned."""
    if target.label is not None:
        raise StatusError(Code.INVALID_ARGUMENT, f"Unrecognized servable version label: {target.label}")
    return target.version


def _failure(code: int, message: str) -> Answer:
    return Answer(code, status.error_json(message).encode("utf-8", "surrogateescape"))
