"""Answers as they leave: JSON, also of what JSON has no word for; what went wrong is ``{"error": one line}`` and the fields it is about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Send

from configs.errors import SluicewayError
from serving.gateway.admission import Overloaded
from serving.gateway.checks import Problem, Unfit
from serving.gateway.upstream import LeftAlone
from serving.protocol.assertions import own_sentence
from serving.protocol.status import HTTP_STATUS, Code, StatusError

_JSON = b"application/json"
# Messages of these are made here; others may hold a part of what was sent.
_OWN_WORDS = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED})


class TooLarge(Exception):
    """The body is larger than is taken."""

    def __init__(self, largest: int) -> None:
        super().__init__(f"the body is too large; at most {largest / 2**20:.3g} MiB")


class TooSlow(Exception):
    """The body does not come."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the body did not arrive within {seconds:g} s")


class Json(Response):
    """A document. NaN and infinity are null there, and a text that is not Unicode gets signs of replacement."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """See starlette's."""
        return encoded(content)


def encoded(document: Any) -> bytes:
    """A document as JSON."""
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        return msgspec.json.encode(_unicode(document))


def _unicode(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_unicode(key): _unicode(part) for key, part in value.items()}
    return [_unicode(part) for part in value] if isinstance(value, (list, tuple)) else value


@dataclass(frozen=True)
class Told:
    """What went wrong, as a caller hears it. ``note``: what the access log keeps of it, which is nothing that was sent."""

    status: int
    message: str
    note: str
    problems: list[Problem] = field(default_factory=list)
    retry_seconds: float | None = None

    @property
    def body(self) -> bytes:
        """The document."""
        listed = [{"field": problem.field, "problem": problem.problem} for problem in self.problems]
        return encoded({"error": self.message, **({"problems": listed} if listed else {})})

    @property
    def headers(self) -> dict[str, str]:
        """When to come again, where that is known."""
        return {} if self.retry_seconds is None else {"retry-after": str(whole_seconds(self.retry_seconds))}


def whole_seconds(seconds: float) -> int:
    """Never sooner than meant."""
    return max(1, math.ceil(seconds))


def told(error: Exception) -> Told | None:
    """The answer to an error that is known, else None."""
    if isinstance(error, Unfit):
        return Told(422, str(error), f"does not fit the model (problems: {len(error.problems)})", error.problems)
    if isinstance(error, Overloaded):
        return Told(503, str(error), str(error), retry_seconds=error.seconds)
    if isinstance(error, TooLarge):
        return Told(413, str(error), str(error))
    if isinstance(error, TooSlow):
        return Told(408, str(error), str(error))
    if isinstance(error, StatusError):
        return _refused(error)
    if isinstance(error, SluicewayError):
        # The version store cannot be read, for example: ours, and in words for a person.
        return Told(500, str(error), str(error))
    return None


def _refused(error: StatusError) -> Told:
    # The model server's own bounds are reached: that is its state and not the caller's fault.
    status = 503 if error.code is Code.RESOURCE_EXHAUSTED else HTTP_STATUS[error.code]
    retry = error.seconds if isinstance(error, LeftAlone) else 1.0 if status == 503 else None
    note = error.message if error.code in _OWN_WORDS else error.code.name
    return Told(status, own_sentence(error.message), note, retry_seconds=retry)


async def send_answer(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    """A whole answer in JSON, by ASGI."""
    listed = [(b"content-type", _JSON), (b"content-length", b"%d" % len(body))]
    listed += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})
