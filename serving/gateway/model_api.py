"""``/v1/models/...``: TF Serving's own REST API, so that a client only changes the address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from serving.gateway import api_documents
from serving.gateway.admission import Overloaded
from serving.gateway.calls import Answered
from serving.gateway.guard import Call
from serving.gateway.routing import Target
from serving.gateway.state import Gateway
from serving.protocol import metadata, routes
from serving.protocol.status import Code, StatusError, status_json

_JSON = "application/json"


def router(gateway: Gateway) -> APIRouter:
    """The routes below /v1."""
    api = APIRouter(prefix="/v1/models", tags=["TF Serving's API"])

    async def call(request: Request, model: str, verb: str, path: Target) -> Response:
        body, known = await request.body(), request.state.call
        answered = await answer(gateway, known, request, model, verb, path, body)
        return Response(answered.text.encode("utf-8", "surrogateescape"), media_type=_JSON, headers=version_header(answered.version))

    for verb in routes.CALLS:
        _add_calls(api, verb, call)

    @api.get("/{model}", summary="States of the versions", responses=api_documents.STATUS)
    async def status(request: Request, model: str) -> Response:
        permitted(gateway, request.state.call, model)
        return await _status(gateway, model, Target())

    @api.get("/{model}/versions/{version}", summary="State of one version", include_in_schema=False)
    async def status_of_version(request: Request, model: str, version: str) -> Response:
        permitted(gateway, request.state.call, model)
        return await _status(gateway, model, Target(version=number(version)))

    @api.get("/{model}/metadata", summary="What the model takes and gives", responses=api_documents.METADATA)
    async def signatures(request: Request, model: str) -> Response:
        permitted(gateway, request.state.call, model)
        return await _metadata(gateway, model, Target())

    @api.get("/{model}/versions/{version}/metadata", include_in_schema=False)
    async def signatures_of_version(request: Request, model: str, version: str) -> Response:
        permitted(gateway, request.state.call, model)
        return await _metadata(gateway, model, Target(version=number(version)))

    @api.get("/{model}/labels/{label}/metadata", include_in_schema=False)
    async def signatures_of_label(request: Request, model: str, label: str) -> Response:
        permitted(gateway, request.state.call, model)
        return await _metadata(gateway, model, Target(label=label))

    return api


def _add_calls(api: APIRouter, verb: str, call: Callable[[Request, str, str, Target], Awaitable[Response]]) -> None:
    async def newest(request: Request, model: str) -> Response:
        return await call(request, model, verb, Target())

    async def of_version(request: Request, model: str, version: str) -> Response:
        return await call(request, model, verb, Target(version=number(version)))

    async def of_label(request: Request, model: str, label: str) -> Response:
        return await call(request, model, verb, Target(label=label))

    told: dict[str, Any] = {"openapi_extra": api_documents.request_body(verb), "responses": api_documents.answers(verb)}
    api.add_api_route(f"/{{model}}:{verb}", newest, methods=["POST"], name=verb, summary=api_documents.SUMMARIES[verb], **told)
    for place, handler in ((f"/{{model}}/versions/{{version}}:{verb}", of_version), (f"/{{model}}/labels/{{label}}:{verb}", of_label)):
        api.add_api_route(
            place, handler, methods=["POST"], name=f"{verb}_{handler.__name__}", summary=api_documents.SUMMARIES[verb], **told
        )


async def answer(gateway: Gateway, known: Call, request: Request, model: str, verb: str, path: Target, body: bytes) -> Answered:
    """Route and ask. Raises what `Calls.answer` does."""
    permitted(gateway, known, model)
    upstream, room = gateway.upstream_of(model), gateway.room(model)
    if room.waiting >= max(1, room.queue):
        # Before anything of it is looked at: who is turned away must cost next to nothing.
        raise Overloaded(max(1.0, room.queue_seconds))
    try:
        asked, choice = gateway.route(model, verb, path, request.headers, known.caller)
    except ValueError as error:
        raise StatusError(Code.INVALID_ARGUMENT, str(error)) from error
    known.model, known.route = model, choice.why
    flying = gateway.metrics.in_flight.labels(gateway.metrics.name(model))
    flying.inc()
    try:
        answered = await gateway.calls.answer(asked, body, upstream, room, gateway.timeout(model))
    finally:
        flying.dec()
    known.version = answered.version
    return answered


def permitted(gateway: Gateway, known: Call, model: str) -> None:
    """Whether this caller may ask this model. Raises StatusError."""
    known.model, known.route = model, known.route or "newest"
    if not known.caller.may_ask(model):
        raise StatusError(Code.PERMISSION_DENIED, f"the key {known.caller.name} is not for the model {model}")
    gateway.upstream_of(model)


def version_header(version: int) -> dict[str, str]:
    """Which version answered."""
    return {"x-model-version": str(version)}


def number(text: str) -> int:
    """The version in a path. Raises StatusError."""
    if text.isascii() and text.isdigit() and 0 < int(text) < 2**63:
        return int(text)
    raise StatusError(Code.INVALID_ARGUMENT, f"{text[:40]!r} is not a version; expected a positive whole number")


async def _status(gateway: Gateway, model: str, target: Target) -> Response:
    statuses = await gateway.upstream_of(model).status(model, gateway.timeout(model), target)
    return Response(status_json(statuses), media_type=_JSON)


async def _metadata(gateway: Gateway, model: str, target: Target) -> Response:
    found, definitions = await gateway.upstream_of(model).definitions(model, target, gateway.timeout(model))
    version = found.model_spec.version.value
    return Response(metadata.metadata_json(model, version, definitions), media_type=_JSON, headers=version_header(version))
