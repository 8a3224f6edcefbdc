"""The proof at the end of a run: the published version, in a server of its own, answers a golden request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from components.infra_validator import standby
from serving import golden
from serving.clients import load as load_client
from serving.errors import LaunchError
from serving.store.base import Version

DEADLINE_SECONDS = 120.0


@dataclass(frozen=True)
class Answered:
    """One answer: over which transport, the outputs for the first golden row."""

    transport: str
    outputs: dict[str, Any]


def prove(launcher: str, version: Version) -> list[Answered]:
    """Ask the published version its first golden row, over REST and over gRPC.

    Raises:
        LaunchError: it could not be asked.
    """
    requests = golden.read(version.path)
    if not requests:
        raise LaunchError(f"{version.model} version {version.number} carries no golden requests to ask")
    request = requests[0]
    one = {name: value[:1] for name, value in request.inputs.items()}
    found = []
    with standby.take(launcher) as ready, ready.launch(version.path, model_name=version.model) as server:
        server.wait_until_available(DEADLINE_SECONDS)
        for transport, address in (("rest", server.rest_address), ("grpc", server.grpc_address)):
            with load_client(transport)(address) as client:
                outputs = client.predict(version.model, one, signature=request.signature)
            found.append(Answered(transport, {name: _plain(value) for name, value in outputs.items()}))
    return found


def _plain(value: Any) -> Any:
    first = value.tolist()[0]
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else first
