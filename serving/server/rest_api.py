"""The REST coat: a route and a body in, a status and a body out. Knows nothing of sockets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from serving.protocol import examples, json_text, metadata, predict, routes, status
from serving.protocol.routes import NoSuchPage, Target, VersionTooLarge
from serving.protocol.signature import DEFAULT_SIGNATURE
from serving.protocol.status import HTTP_STATUS, Code, StatusError, invalid
from serving.server import handlers, json_bulk, rest_logging, together
from serving.server.core import Call, Core

log = logging.getLogger(__name__)

_NOT_FOUND_PAGE = b"<html><head>\n<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n</body></html>\n"
_COUNTED = frozenset({"predict", "classify", "regress"})


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    ``quick``: the next such request can be answered where it is read, None: nothing was learned about that; ``together``: with all others
    that are there.
    """

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    quick: bool | None = None
    together: bool = False


class RestApi:
    """Answers every request below /v1. Each method may run in many threads at once."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._verbs: dict[str, Callable[[Call, Target, bytes], str]] = {
            "predict": self._predict,
            "classify": self._classify,
            "regress": self._regress,
            "metadata": self._metadata,
            "status": self._status,
        }

    @property
    def generation(self) -> int:
        """Changes when what was learned of the speed of answers may no longer be true: see `Models.generation`."""
        return self._core.models.generation

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer one request; never raises."""
        try:
            route = routes.parse(method, path)
        except NoSuchPage:
            return Answer(404, _NOT_FOUND_PAGE, b"text/html; charset=ISO-8859-1")
        except StatusError as error:
            self._core.metrics.request("", None, "", "REST").record(error.code, 0.0)
            if self._core.strict and isinstance(error, VersionTooLarge):
                return Answer(HTTP_STATUS[error.code], b"")  # upstream forgets the text
            return _failure(error)
        api = route.verb if route.verb in _COUNTED else ""
        call = Call(self._core, api, "REST", route.target.model)
        try:
            with call:
                text = self._verbs[route.verb](call, route.target, body)
        except StatusError as error:
            return _failure(error)
        except Exception as error:  # a fault of ours must cost one request, not the server
            log.exception("%s %s failed", method, path)
            return _failure(StatusError(Code.INTERNAL, f"{type(error).__name__}: {error}"))
        quick = call.servable is not None and call.servable.was_quick
        # Strings that are not UTF-8 leave as they are, like TF Serving's.
        may_share = quick and route.verb == "predict" and call.batched
        return Answer(200, text.encode("utf-8", "surrogateescape"), quick=quick, together=may_share)

    def answer_together(self, path: str, bodies: Sequence[bytes]) -> list[Answer]:
        """Answer POST requests to one path that are there at the same time, in one run if they go together; never raises."""
        if len(bodies) > 1:
            try:
                route = routes.parse("POST", path)
                texts = together.answer(self._core, route.target, bodies)
            except (StatusError, NoSuchPage):
                pass  # one of them is wrong, or they differ: each gets an answer of its own
            except Exception:  # the same
                log.exception("POST %s: %d requests together failed", path, len(bodies))
            else:
                return [Answer(200, text.encode("utf-8", "surrogateescape"), quick=True, together=True) for text in texts]
        return [self.answer("POST", path, body) for body in bodies]

    def _predict(self, call: Call, target: Target, body: bytes) -> str:
        bulk = json_bulk.read(body)
        document = json_text.parse_object(body) if bulk is None else {}
        asked = predict.read_signature_name(document) if bulk is None else bulk.signature_name
        name = asked or DEFAULT_SIGNATURE
        servable = call.lease(target)
        signature = servable.signatures.get(name)
        if signature is None:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        found = bulk.inputs(signature) if bulk is not None else None
        if found is None:
            found = predict.read_inputs(document or json_text.parse_object(body), signature, asked)
        form, inputs = found
        outputs = handlers.predict(
            servable, name, inputs, (), self._core.rest_timeout_seconds, check_method_name=self._core.options.check_method_names
        )
        rest_logging.log_predict(self._core, call.model, call.version, name, inputs, outputs)
        return predict.write_outputs(outputs, form)

    def _classify(self, call: Call, target: Target, body: bytes) -> str:
        document = json_text.parse_object(body)
        name, batch = predict.read_signature_name(document), examples.read_examples(document)
        results = handlers.classify(
            call.lease(target), name, batch, self._core.rest_timeout_seconds, check_method_name=self._core.options.check_method_names
        )
        self._core.metrics.examples(target.model, call.version, len(batch))
        rest_logging.log_classify(self._core, target.model, call.version, name, batch, results)
        return examples.write_classifications(results)

    def _regress(self, call: Call, target: Target, body: bytes) -> str:
        document = json_text.parse_object(body)
        name, batch = predict.read_signature_name(document), examples.read_examples(document)
        values = handlers.regress(
            call.lease(target), name, batch, self._core.rest_timeout_seconds, check_method_name=self._core.options.check_method_names
        )
        self._core.metrics.examples(target.model, call.version, len(batch))
        rest_logging.log_regress(self._core, target.model, call.version, name, batch, values)
        return examples.write_regressions(values)

    def _metadata(self, call: Call, target: Target, _: bytes) -> str:
        servable = call.lease(target)
        return metadata.metadata_json(target.model, call.version or 0, servable.signature_defs)

    def _status(self, _: Call, target: Target, __: bytes) -> str:
        # A label is ignored here, as upstream does.
        return status.status_json(self._core.cluster.statuses(target.model, target.version))


def _failure(error: StatusError) -> Answer:
    return Answer(HTTP_STATUS[error.code], status.error_json(error.message).encode("utf-8", "surrogateescape"))
