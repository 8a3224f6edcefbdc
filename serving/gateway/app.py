"""The application: routes, what stands around them, and the page."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from serving.gateway import api_documents, front_api
from serving.gateway.errors_http import add_error_answers
from serving.gateway.guard import Guard
from serving.gateway.model_api import ModelApi
from serving.gateway.state import Gateway
from serving.gateway.tracing import traced
from serving.page import add_page

_ABOUT = """Models behind TensorFlow Serving, for applications and people.

`/v1/models/...` is TF Serving's own REST API: a client changes its address and nothing else. Every answer names the version that gave it
(`x-model-version`) and the request (`x-request-id`). Input that does not fit the model is a 422 that names the field.
"""


def build(gateway: Gateway) -> ASGIApp:
    """The ASGI application of a gateway. Its routes are fixed; what they do follows the configuration in force."""
    config = gateway.config
    app = FastAPI(
        title="Sluiceway gateway",
        description=_ABOUT,
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if config.docs else None,
    )
    add_error_answers(app)
    app.include_router(front_api.router(gateway))
    add_page(app, page=config.page, docs=config.docs)
    _describe_models(app)
    guarded: ASGIApp = Guard(traced(ModelApi(app, gateway), config.tracing), gateway)
    if config.cors:
        guarded = CORSMiddleware(
            guarded,
            allow_origins=list(config.cors),
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["x-model-version", "x-request-id", "retry-after"],
        )
    return guarded


def _describe_models(app: FastAPI) -> None:
    """Have OpenAPI tell of what `ModelApi` answers."""
    own = app.openapi

    def openapi() -> dict[str, Any]:
        document = own()
        document["paths"] = {**api_documents.model_paths(), **document["paths"]}
        return document

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI's manual extends OpenAPI
