"""The page of the gateway: static files, no build, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

_STATIC = Path(__file__).with_name("static")
# Only files from here may run or be shown; pictures a person chose are shown from memory. No text becomes markup: a browser that knows
# trusted types refuses what would make it.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def add_page(app: FastAPI, *, page: bool, docs: bool) -> None:
    """Show the page at ``/`` and the API's description at ``/docs``; each knows from ``/page/about.json`` whether the other is there."""
    if page:

        @app.get("/", include_in_schema=False)
        async def index() -> Response:
            return FileResponse(_STATIC / "index.html", headers=_HEADERS)

    if docs:

        @app.get("/docs", include_in_schema=False)
        async def described() -> Response:
            return FileResponse(_STATIC / "docs.html", headers=_HEADERS)

    if page or docs:

        @app.get("/page/about.json", include_in_schema=False)
        async def about() -> Response:
            return JSONResponse({"page": page, "docs": docs}, headers=_HEADERS)

        app.mount("/page", _Static(directory=_STATIC), name="page")


class _Static(StaticFiles):
    """Files with the page's headers."""

    def file_response(self, *given: object, **more: object) -> Response:
        """See starlette's."""
        response: Response = super().file_response(*given, **more)  # type: ignore[arg-type]
        response.headers.update(_HEADERS)
        return response
