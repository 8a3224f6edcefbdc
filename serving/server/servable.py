"""What the server needs of a loaded model, whoever loaded it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import SignatureSpec

Array = np.ndarray[Any, Any]


class Servable(Protocol):
    """A model in memory. Every method may be called from many threads at once, except `close`, which comes last."""

    @property
    def signature_defs(self) -> Mapping[str, wire.SignatureDef]:
        """The signatures as the SavedModel has them."""

    @property
    def signatures(self) -> Mapping[str, SignatureSpec]:
        """The signatures that a request may name."""

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_seconds: float | None = None) -> list[Array]:
        """Feed and fetch tensors by their names in the graph; strings are object arrays of bytes.

        Raises StatusError: the runtime's own code and text, DEADLINE_EXCEEDED when it takes longer than ``timeout_seconds``.
        """

    def quick(self, feeds: Iterable[str], fetches: Iterable[str]) -> bool:
        """Is a run with these tensors expected to take so little time that no thread needs to be asked for it?"""

    def close(self) -> None:
        """Free the memory."""
