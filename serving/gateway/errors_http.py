"""What went wrong behind a route of FastAPI, as the same answers as everywhere else."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from configs.errors import SluicewayError
from serving.gateway.admission import Overloaded
from serving.gateway.answers import Told, TooLarge, TooSlow, told
from serving.gateway.checks import Problem, Unfit


def add_error_answers(app: FastAPI) -> None:
    """Tell the application how its errors are answered."""

    async def known(request: Request, error: Exception) -> Response:
        return _answer(request, told(error) or _OURS)

    for kind in (Unfit, Overloaded, TooLarge, TooSlow, SluicewayError, Exception):
        app.add_exception_handler(kind, known)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        problems = [Problem(".".join(map(str, found["loc"])), found["msg"]) for found in error.errors()]
        return _answer(request, Told(422, str(Unfit(problems)), "a parameter is wrong", problems))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        answer = _answer(request, Told(error.status_code, str(error.detail), f"HTTP {error.status_code}"))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        del error
        return _answer(request, GONE)


GONE = Told(499, "the caller went away", "the caller went away")
_OURS = Told(500, "the gateway failed; its log says where", "failed")


def _answer(request: Request, error: Told) -> Response:
    call = request.scope.get("state", {}).get("call")
    if call is not None:
        call.problem = error.note
    return Response(error.body, error.status, error.headers, "application/json")
