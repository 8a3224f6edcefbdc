"""The server's own errors that TF Serving gives as well: everything else of this kind is a fault of ours.

A refusal (400, 404, ...; INVALID_ARGUMENT, NOT_FOUND, ...) is what malformed requests are for. An error of the server is allowed only for a
reason of this table, each with the row of upstream's contract that it comes from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """``status``: the HTTP status or the gRPC code; ``text``: what the whole message looks like; ``row``: where upstream gives it."""

    status: int | str
    text: str
    row: str


REFUSALS_HTTP = frozenset({200, 400, 404})
REFUSALS_GRPC = frozenset({"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE"})

REST = (
    Reason(
        501,
        r"(?s).*Conversion of JSON Value: .* to type: (half|bfloat16|uint16|complex64|complex128)",
        "predict request, types: half and others: 501",
    ),
)
GRPC = (
    Reason("INTERNAL", r"(?s)The request is not a \w+: .*", "gRPC's C++ server: a message that cannot be parsed is INTERNAL"),
    Reason("UNIMPLEMENTED", r"Method not found!", "gRPC surface: no other services, no other methods"),
    Reason("UNIMPLEMENTED", r"(?s)Unsupported signature method_name: .*", "MultiInference: UNIMPLEMENTED for other method names"),
)


def reason(table: tuple[Reason, ...], status: int | str, text: str) -> Reason | None:
    """Why this error is upstream's as well; None when it is not."""
    return next((one for one in table if one.status == status and re.fullmatch(one.text, text)), None)
