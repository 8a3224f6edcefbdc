"""A client's memory of signatures, so that a predict call costs one request and not two."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from serving.protocol.signature import SignatureSpec

Signatures = Mapping[str, SignatureSpec]


class SignatureCache:
    """Signatures by model and version asked for. Whoever finds them outdated says so with `forget`."""

    def __init__(self, fetch: Callable[[str, int | None], Signatures]) -> None:
        self._fetch = fetch
        self._known: dict[tuple[str, int | None], Signatures] = {}
        self._lock = threading.Lock()

    def get(self, model: str, version: int | None) -> Signatures:
        """The signatures, fetched once."""
        with self._lock:
            known = self._known.get((model, version))
        if known is None:
            known = self._fetch(model, version)
            with self._lock:
                self._known[(model, version)] = known
        return known

    def forget(self, model: str, version: int | None) -> None:
        """Fetch anew at the next call: another version may be the latest by now."""
        with self._lock:
            self._known.pop((model, version), None)
