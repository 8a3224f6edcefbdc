"""A client's memory of signatures, so that a predict call costs one request and not two."""

from __future__ import annotations

import threading

from serving.clients.base import Signatures
from serving.protocol.routes import Target


class SignatureCache:
    """Signatures by model and version asked for. Whoever finds them outdated says so with `forget`."""

    def __init__(self) -> None:
        self._known: dict[Target, Signatures] = {}
        self._lock = threading.Lock()

    def get(self, target: Target) -> Signatures | None:
        """What is known, if anything."""
        with self._lock:
            return self._known.get(target)

    def put(self, target: Target, signatures: Signatures) -> None:
        """Remember what the server said."""
        with self._lock:
            self._known[target] = signatures

    def forget(self, target: Target) -> None:
        """Fetch anew at the next call: another version may be the latest by now."""
        with self._lock:
            self._known.pop(target, None)
