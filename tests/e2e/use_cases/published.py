"""A published model behind a real server, asked over both transports at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from serving import golden
from serving.clients import load
from serving.clients.base import PredictClient
from serving.launchers.readiness import wait_for
from serving.protocol.signature import SignatureSpec
from serving.rows import answers_by_row, columns_from_rows
from tests.e2e.command import Ended, sluiceway
from tests.integration.serving.server_process import started

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Published:
    """A model, its folder, and a client for each transport."""

    name: str
    folder: Path
    url: str
    rest: PredictClient
    grpc: PredictClient

    @property
    def signatures(self) -> dict[str, SignatureSpec]:
        """What the server says the model has; both transports must say the same."""
        found = self.rest.metadata(self.name)
        assert self.grpc.metadata(self.name) == found
        return found

    def predict(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Raw columns in, named answers out, over both transports, which must agree."""
        columns = columns_from_rows(rows, self.signatures["predict"])
        by_rest, by_grpc = (client.predict(self.name, columns, signature="predict") for client in (self.rest, self.grpc))
        assert_close(by_rest, by_grpc)
        return answers_by_row(by_rest)

    def classify(self, examples: Sequence[Row]) -> list[dict[str, float]]:
        """Label to score for each example, over both transports, which must agree."""
        by_rest, by_grpc = (client.classify(self.name, examples, signature="classify") for client in (self.rest, self.grpc))
        for one, other in zip(by_rest, by_grpc, strict=True):
            assert [label for label, _ in one] == [label for label, _ in other]
            np.testing.assert_allclose([score for _, score in one], [score for _, score in other], atol=1e-5)
        return [dict(each) for each in by_rest]

    def regress(self, examples: Sequence[Row]) -> list[float]:
        """A value for each example, over both transports, which must agree."""
        by_rest, by_grpc = (client.regress(self.name, examples, signature="regress") for client in (self.rest, self.grpc))
        np.testing.assert_allclose(by_rest, by_grpc, rtol=1e-5)
        return by_rest

    def post(self, verb: str, body: Any) -> httpx.Response:
        """Plain JSON to the REST API, as a person with curl would send it."""
        return httpx.post(f"{self.url}:{verb}", content=json.dumps(body), trust_env=False, timeout=60)

    def assert_golden_answers(self) -> set[str]:
        """Ask every signature over both transports; gives their names. Only what the evaluator alone asks has no golden answer."""
        requests = {request.signature: request for request in golden.read(self.folder)}
        for name, request in requests.items():
            for client in (self.rest, self.grpc):
                assert_close(client.predict(self.name, dict(request.inputs), signature=name), request.outputs)
        examples = dict(requests["serving_default"].inputs)
        assert_close(*(client.predict(self.name, examples, signature="transform_features") for client in (self.rest, self.grpc)))
        return {*requests, "transform_features"}


@contextmanager
def serving(name: str, state: str | Path, scratch: Path) -> Iterator[Published]:
    """The newest version of the store, served."""
    store = Path(state) / "store" / name
    flags = ("--port=0", "--rest_api_port=0", f"--model_name={name}", f"--model_base_path={store}")
    with (
        started(scratch, *flags) as server,
        load("rest")(server.rest_address) as rest,
        load("grpc")(server.grpc_address) as grpc,
    ):
        url = f"{server.rest_address}/v1/models/{name}"

        def available() -> int | None:
            return rest.live_version(name) if httpx.get(url, trust_env=False).status_code == 200 else None

        version = wait_for(available, server.process.poll, what=f"{name} was available", deadline_seconds=120, logs=server.log.read_text)
        yield Published(name, store / str(version), url, rest, grpc)


def refused(name: str, data: Path, state: Path, *more: str) -> str:
    """Run on data that no model should pass on; gives the reasons of the refusal."""
    ended: Ended = sluiceway("run", name, "--json", "--data", str(data), *more, state=state)
    assert ended.code == 3, ended.err
    assert (ended.document["verdict"], ended.document["gate"]) == ("refused", "evaluator")
    return " | ".join(reason["message"] for reason in ended.document["reasons"])


def assert_close(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """The same names, texts the same, numbers within what floats of two machines differ by."""
    assert set(one) == set(other)
    for name, value in one.items():
        if np.asarray(value).dtype.kind == "O":
            assert np.asarray(value).tolist() == np.asarray(other[name]).tolist(), name
        else:
            np.testing.assert_allclose(value, other[name], atol=1e-5, rtol=1e-5, err_msg=name)
