"""Boots a server on a candidate and asks it every golden request, over REST and over gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from components.infra_validator.checks import Answer
from components.infra_validator.validate import Observation
from serving import golden
from serving.clients import load as load_client
from serving.errors import BadRequest, LaunchTimeout, ModelLoadError, ModelNotFound, PredictError, Unavailable
from serving.golden import GoldenRequest
from serving.launchers.base import Launcher, RunningServer


def probe(launcher: Launcher, model_name: str, model_dir: Path, deadline_seconds: float) -> Observation:
    """See how a candidate does in a real server. The server is gone when this returns, also when it raises.

    Raises:
        LaunchError: the server could not be started or asked: nothing is known of the model.
    """
    try:
        requests = golden.read(model_dir)
        with launcher.launch(model_dir, model_name=model_name) as server:
            _ = server.rest_address  # waits for the server itself: what raises from here on is the model's doing, or the server's death
            try:
                seconds = server.wait_until_available(deadline_seconds)
            except LaunchTimeout as error:
                return Observation(deadline_seconds, None, (), len(requests), error.log_tail)
            answers = [answer for transport in ("rest", "grpc") for answer in _ask(server, transport, model_name, requests)]
            return Observation(seconds, None, answers, len(requests))
    except ModelLoadError as error:
        return Observation(None, str(error), (), 1, error.log_tail)


def _ask(server: RunningServer, transport: str, model_name: str, requests: Sequence[GoldenRequest]) -> list[Answer]:
    address = server.rest_address if transport == "rest" else server.grpc_address
    answers = []
    with load_client(transport)(address) as client:
        for request in requests:
            try:
                outputs = client.predict(model_name, request.inputs, signature=request.signature)
                answers.append(Answer(transport, request, outputs))
            except Unavailable:
                # The server went away: that says nothing of this answer.
                raise
            except (BadRequest, ModelNotFound, PredictError) as error:
                answers.append(Answer(transport, request, None, str(error)))
    return answers
