"""What applications and the page ask beside TF Serving's API: models and their history, images, and whether we are well."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, Response

from serving.gateway import api_documents, forms
from serving.gateway.answers import Json
from serving.gateway.catalogue import live_version, version_rows
from serving.gateway.guard import Call
from serving.gateway.images import check_images
from serving.gateway.model_api import begin, permitted, version_header
from serving.gateway.routing import Target
from serving.gateway.state import Gateway
from serving.gateway.unserved import problems
from serving.gateway.uploads import answer_about, uploads_of
from serving.protocol.status import StatusError

# A list of models must not wait for the slowest server.
_LIST_SECONDS = 3.0
_READY_SECONDS = 2.0


def router(gateway: Gateway) -> APIRouter:
    """The routes."""
    api = APIRouter()

    @api.get("/models", tags=["Models"], summary="All models and what is live", responses=api_documents.MODELS)
    async def models(request: Request) -> Json:
        return Json(await _listed(gateway, request.state.call))

    @api.get("/models/{model}", tags=["Models"], summary="One model, with the form to ask it", responses=api_documents.MODEL)
    async def model(request: Request, model: str) -> Json:
        permitted(gateway, request.state.call, model)
        return Json(await _details(gateway, model))

    @api.get("/models/{model}/history", tags=["Models"], summary="Publishes, refusals, rollbacks", responses=api_documents.HISTORY)
    async def history(request: Request, model: str) -> Json:
        permitted(gateway, request.state.call, model)
        return Json({"model": model, "events": await gateway.catalogue.history(model)})

    @api.post(
        "/predict/{model}/image",
        tags=["Images"],
        summary="Classes of uploaded images",
        responses=api_documents.IMAGE,
        openapi_extra=api_documents.IMAGE_BODY,
    )
    async def image(request: Request, model: str, signature: str | None = Query(None)) -> Json:
        known = request.state.call
        begun = begin(gateway, known, model, "predict", Target(), request.headers)
        with begun.room.presence():
            uploads = await uploads_of(request)
            check_images(uploads, gateway.config.limits)
            answer = await answer_about(gateway, known, begun, uploads, signature)
        return Json(answer, headers=version_header(known.version))

    @api.get("/healthz", tags=["Health"], summary="Alive", response_class=PlainTextResponse)
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @api.get("/readyz", tags=["Health"], summary="A model server can be asked", responses=api_documents.problems(503))
    async def readyz() -> Json:
        ready = await _ready(gateway)
        return Json(ready, 200 if ready["ready"] else 503)

    @api.get("/metrics", tags=["Health"], summary="Counters, for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> Response:
        for name, upstream in gateway.upstreams.items():
            gateway.metrics.upstream_open.labels(name).set(upstream.is_open)
        return Response(gateway.metrics.page(), media_type=gateway.metrics.content_type)

    return api


async def _listed(gateway: Gateway, known: Call) -> dict[str, Any]:
    names = sorted({*gateway.config.models, *(() if gateway.config.only_listed else await gateway.catalogue.models())})
    names = [name for name in names if known.caller.may_ask(name)]
    problem = await gateway.catalogue.problem()
    found = {"models": await asyncio.gather(*(_summary(gateway, name) for name in names))}
    return {**found, "problem": problem} if problem else found


async def _summary(gateway: Gateway, model: str, *, alone: bool = False) -> dict[str, Any]:
    """A model's versions. A server that is not there is a problem of this model, not of the list.

    Args:
        alone: with what is wrong with its arms and shadow; raise StatusError for a model that is neither served nor published.
    """
    published = await gateway.catalogue.published(model)
    try:
        statuses = await gateway.upstream_of(model).status(model, min(_LIST_SECONDS, gateway.timeout(model)))
    except StatusError as error:
        if alone and not published:
            raise
        return {"model": model, "live": None, "versions": version_rows([], published), "problem": error.message}
    gateway.metrics.learn(model)
    found = {"model": model, "live": live_version(statuses), "versions": version_rows(statuses, published)}
    return {**found, "problems": await problems(gateway, model, statuses)} if alone else found


async def _details(gateway: Gateway, model: str) -> dict[str, Any]:
    found = await _summary(gateway, model, alone=True)
    rules = gateway.rules(model)
    found |= {
        "arms": msgspec.to_builtins(rules.arms),
        "shadow": msgspec.to_builtins(rules.shadow),
        "shadowed": gateway.shadows.record(model),
    }
    if found["live"] is None:
        return found
    try:
        known = await gateway.upstream_of(model).signatures(model, Target(), gateway.timeout(model), counted=False)
    except StatusError as error:
        return {**found, "problem": error.message}
    form = forms.form(known.signatures)
    if form is not None and gateway.config.examples and (examples := await gateway.catalogue.examples(model, known.version, form)):
        form["examples"] = examples
    return {**found, "signatures": forms.signatures_document(known.signatures), "form": form}


async def _ready(gateway: Gateway) -> dict[str, Any]:
    """Ready while some model server answers: what it answers about which model is its own affair."""
    if gateway.draining:
        return {"ready": False, "problem": "ending"}
    states = dict(
        zip(
            gateway.upstreams,
            await asyncio.gather(*(upstream.reachable(_READY_SECONDS) for upstream in gateway.upstreams.values())),
            strict=True,
        )
    )
    return {"ready": any(states.values()), "upstreams": {name: "ok" if good else "cannot be reached" for name, good in states.items()}}
