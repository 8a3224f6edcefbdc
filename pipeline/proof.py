"""The proof at the end of a run: the published version, in a server of its own, answers a golden request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.infra_validator import standby
from components.infra_validator.checks import Answer as CheckedAnswer
from components.infra_validator.checks import agrees
from configs.errors import SluicewayError
from configs.schema import Settings
from serving import golden
from serving.clients import load as load_client
from serving.errors import LaunchError
from serving.golden import GoldenRequest
from serving.launchers import targets
from serving.store.base import Version

DEADLINE_SECONDS = 120.0


@dataclass(frozen=True)
class Answered:
    """One answer: over which transport, the outputs for the first golden row."""

    transport: str
    outputs: dict[str, Any]


def prove(settings: Settings, version: Version) -> list[Answered]:
    """Ask the published version its first golden row, over REST and over gRPC, and hold the answers against the trainer's.

    Raises:
        SluicewayError: it could not be asked, or it answered something else.
    """
    requests = golden.read(version.path)
    if not requests:
        raise LaunchError("it carries no golden requests to ask")
    first = requests[0]
    request = GoldenRequest(first.signature, _first_row(first.inputs), _first_row(first.outputs))
    found = []
    target = targets(settings.environment)[0]
    with standby.take(target) as ready, ready.launch(version.path, model_name=version.model) as server:
        _ = server.rest_address  # waits for the server itself, which the deadline is not for
        server.wait_until_available(DEADLINE_SECONDS)
        for transport, address in (("rest", server.rest_address), ("grpc", server.grpc_address)):
            with load_client(transport)(address) as client:
                outputs = client.predict(version.model, request.inputs, signature=request.signature)
            for reason in agrees(CheckedAnswer(transport, request, outputs), settings.use_case.infra.tolerance):
                raise SluicewayError(reason.message)
            found.append(Answered(transport, {name: _plain(value) for name, value in outputs.items()}))
    return found


def _first_row(arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value[:1] for name, value in arrays.items()}


def _plain(value: Any) -> Any:
    first = value.tolist()[0]
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else first
