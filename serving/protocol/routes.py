"""The URLs of the REST API: parse one, build one.

The grammar is TF Serving's, quirks included: it matches without regard to case, but only the lower-case verbs mean anything,
so ``:PREDICT`` is malformed and ``/METADATA`` asks for the status.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from serving.protocol.status import Code, StatusError, invalid

_CALL = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?:(classify|regress|predict)", re.IGNORECASE | re.ASCII)
_ASK = re.compile(r"/v1/models(?:/([^/:]+))?(?:/versions/(\d+)|/labels/([^/:]+))?(?:/(metadata))?", re.IGNORECASE | re.ASCII)
_LARGEST_VERSION = 2**63 - 1

CALLS = ("classify", "regress", "predict")


@dataclass(frozen=True)
class Target:
    """A model, and which of its versions: a number, a label, or neither for the latest."""

    model: str
    version: int | None = None
    label: str | None = None


@dataclass(frozen=True)
class Route:
    """What a URL asks for. ``verb``: classify, regress, predict, metadata or status."""

    verb: str
    target: Target


class VersionTooLarge(StatusError):
    """The version in the path is no int64."""

    def __init__(self, version: str) -> None:
        super().__init__(Code.INVALID_ARGUMENT, f"Failed to convert version: {version} to numeric.")


class NoSuchPage(Exception):
    """The path is outside ``/v1/``: not a request to this API at all."""


def parse(method: str, path: str) -> Route:
    """The route of a request; ``path`` still percent-encoded and without its query. Raises StatusError, NoSuchPage."""
    if not path.lower().startswith("/v1/"):
        raise NoSuchPage(path)
    if method == "POST" and (match := _CALL.fullmatch(path)):
        name, version, label, verb = match.groups()
        if verb in CALLS:
            return Route(verb, _target(name, version, label))
    if method == "GET" and (match := _ASK.fullmatch(path)):
        name, version, label, verb = match.groups()
        if name is None:
            raise invalid("Missing model name in request.")
        return Route("metadata" if verb == "metadata" else "status", _target(name, version, label))
    raise _malformed(method, path)


def build(verb: str, target: Target) -> str:
    """The path that asks `verb` of `target`."""
    path = f"/v1/models/{quote(target.model, safe='')}"
    if target.version is not None:
        path += f"/versions/{target.version}"
    elif target.label is not None:
        path += f"/labels/{quote(target.label, safe='')}"
    if verb in CALLS:
        return f"{path}:{verb}"
    return f"{path}/metadata" if verb == "metadata" else path


def _target(name: str, version: str | None, label: str | None) -> Target:
    number = None if version is None else int(version) if len(version) < 20 else _LARGEST_VERSION + 1
    if number is not None and number > _LARGEST_VERSION:
        raise VersionTooLarge(version or "")
    return Target(unquote(name), number, None if label is None else unquote(label))


def _malformed(method: str, path: str) -> StatusError:
    return invalid(f"Malformed request: {method} {path}")
