"""The pages of the REST port outside /v1: is it alive, is it ready, what do its metrics say."""

from __future__ import annotations

import json
from urllib.parse import unquote

from serving.server.core import Core
from serving.server.rest_api import Answer

_HEALTH, _READY = "/healthz", "/readyz"
_METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Pages:
    """Answers them. ``metrics_path`` is empty when there is no metrics page; with ``Core.strict`` that is the only page there may be."""

    def __init__(self, core: Core, metrics_path: str = "") -> None:
        self._core, self._metrics_path = core, metrics_path

    def has(self, path: str) -> bool:
        """Is this one of the pages?"""
        if self._metrics_path and path == self._metrics_path:
            return True
        return not self._core.strict and (path in (_HEALTH, _READY) or path.startswith(_READY + "/"))

    def answer(self, method: str, path: str, _: bytes) -> Answer:
        """Answer one request; never raises."""
        if method not in ("GET", "HEAD"):
            return Answer(405, _document({"error": f"{method} {path}: only GET is allowed"}))
        if path == self._metrics_path:
            return Answer(200, self._core.cluster.metrics_text().encode(), _METRICS_TYPE)
        if path == _HEALTH:
            return Answer(200, _document({"status": "alive"}))
        model = unquote(path[len(_READY) + 1 :]) or None
        reason = self._core.cluster.unready(model)
        if reason is None:
            return Answer(200, _document({"status": "ready"}))
        return Answer(503, _document({"status": "not ready", "reason": reason}))


def _document(content: dict[str, str]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
