"""The application: routes, what stands around them, and the page."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from serving.gateway import front_api, model_api
from serving.gateway.errors_http import add_error_answers
from serving.gateway.guard import Guard
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
    app.include_router(model_api.router(gateway))
    app.include_router(front_api.router(gateway))
    add_page(app, page=config.page, docs=config.docs)
    guarded: ASGIApp = Guard(traced(app, config.tracing), gateway)
    if config.cors:
        guarded = CORSMiddleware(
            guarded,
            allow_origins=list(config.cors),
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["x-model-version", "x-request-id", "retry-after"],
        )
    return guarded
