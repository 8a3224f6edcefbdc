"""The page of the gateway: static files, no build, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

_STATIC = Path(__file__).with_name("static")
# Only what comes from here may run or be shown; pictures a person chose are shown from memory.
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def add_page(app: FastAPI, *, page: bool, docs: bool) -> None:
    """Show the page at ``/`` and the API's description at ``/docs``."""
    if page:

        @app.get("/", include_in_schema=False)
        async def index() -> Response:
            return FileResponse(_STATIC / "index.html", headers=_HEADERS)

    if docs:

        @app.get("/docs", include_in_schema=False)
        async def described() -> Response:
            return FileResponse(_STATIC / "docs.html", headers=_HEADERS)

    if page or docs:
        app.mount("/page", _Static(directory=_STATIC), name="page")


class _Static(StaticFiles):
    """Files with the page's headers."""

    def file_response(self, *given: object, **more: object) -> Response:
        """See starlette's."""
        response: Response = super().file_response(*given, **more)  # type: ignore[arg-type]
        response.headers.update(_HEADERS)
        return response
