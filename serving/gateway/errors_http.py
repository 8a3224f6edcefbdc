"""What went wrong, as an HTTP answer: always ``{"error": one line}``, with the fields where it is the input."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from serving.gateway.admission import Overloaded
from serving.gateway.checks import Unfit
from serving.gateway.guard import TooLarge
from serving.gateway.upstream import LeftAlone
from serving.protocol.status import HTTP_STATUS, Code, StatusError


def add_error_answers(app: FastAPI) -> None:
    """Tell the application how its errors are answered."""

    @app.exception_handler(Unfit)
    async def unfit(request: Request, error: Unfit) -> JSONResponse:
        problems = [{"field": problem.field, "problem": problem.problem} for problem in error.problems]
        return _told(request, 422, str(error), problems=problems)

    @app.exception_handler(Overloaded)
    async def overloaded(request: Request, error: Overloaded) -> JSONResponse:
        return _told(request, 503, str(error), retry=error.seconds)

    @app.exception_handler(TooLarge)
    async def too_large(request: Request, error: TooLarge) -> JSONResponse:
        return _told(request, 413, str(error))

    @app.exception_handler(StatusError)
    async def refused(request: Request, error: StatusError) -> JSONResponse:
        # The model server's own bounds are reached: that is its state and not the caller's fault.
        status = 503 if error.code is Code.RESOURCE_EXHAUSTED else HTTP_STATUS[error.code]
        retry = error.seconds if isinstance(error, LeftAlone) else 1.0 if status == 503 else None
        return _told(request, status, error.message, retry=retry)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        problems = [{"field": ".".join(map(str, found["loc"])), "problem": found["msg"]} for found in error.errors()]
        return _told(request, 422, f"{problems[0]['field']}: {problems[0]['problem']}", problems=problems)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return _told(request, error.status_code, str(error.detail), headers=dict(error.headers or {}))


def _told(
    request: Request,
    status: int,
    message: str,
    *,
    problems: list[dict[str, str]] | None = None,
    retry: float | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    call = request.scope.get("state", {}).get("call")
    if call is not None:
        call.problem = message
    body = {"error": message, **({"problems": problems} if problems else {})}
    again = {"retry-after": str(max(1, round(retry)))} if retry is not None else {}
    return JSONResponse(body, status, headers={**again, **(headers or {})})
