"""What the server needs of a loaded model, whoever loaded it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        """Feed and fetch tensors by their names in the graph. Raises StatusError."""

    def close(self) -> None:
        """Free the memory."""
