"""Ten thousand malformed gRPC requests harm nobody: each gets a status that TF Serving could have given."""

from __future__ import annotations

from collections import Counter
from typing import Any

import grpc
import numpy as np

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from tests.integration.serving.fuzz import allowed, grpc_requests, h2_bytes
from tests.integration.serving.fuzz.http_client import RawHttp
from tests.integration.serving.server_process import ServerProcess

CALLS, CONNECTIONS, AT_ONCE = 9_000, 1_000, 100
SECONDS = 30.0


def still_good(channel: grpc.Channel) -> bool:
    request = wire.PredictRequest(model_spec=wire.ModelSpec(name="half"), inputs={"x": tensors.to_proto(np.float32([1, 2]))})
    content = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")(request.SerializeToString(), timeout=SECONDS)
    return list(wire.PredictResponse.FromString(content).outputs["y"].float_val) == [3.5, 4.0]


def status_of(future: Any) -> tuple[str, str]:
    error = future.exception()
    return ("OK", "") if error is None else (error.code().name, error.details())


def test_every_malformed_call_gets_a_status_of_the_contract(unharmed: ServerProcess, seed: int) -> None:
    seen, wrong = Counter[str](), []
    with grpc.insecure_channel(unharmed.grpc_address) as channel:
        for first in range(0, CALLS, AT_ONCE):
            calls = [grpc_requests.call(seed, number) for number in range(first, first + AT_ONCE)]
            futures = [channel.unary_unary(call.path).future(call.content, timeout=SECONDS) for call in calls]
            for number, (call, future) in enumerate(zip(calls, futures, strict=True), start=first):
                code, text = status_of(future)
                seen[code] += 1
                if code not in allowed.REFUSALS_GRPC and not allowed.reason(allowed.GRPC, code, text):
                    wrong.append(f"{number}: {call.path} {call.content[:300]!r} -> {code} {text[:300]}")
            assert still_good(channel), f"no good answer after call {first + AT_ONCE - 1}"
    assert wrong == [], f"SLUICEWAY_FUZZ_SEED={seed}: {len(wrong)} of {CALLS}"
    assert seen["OK"] < 0.4 * CALLS
    assert min(seen[code] for code in ("OK", "INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL", "UNIMPLEMENTED")) > 0.01 * CALLS


def test_a_message_that_is_none_is_refused_by_every_method(unharmed: ServerProcess) -> None:
    methods = {
        "tensorflow.serving.PredictionService": ("Predict", "Classify", "Regress", "MultiInference", "GetModelMetadata"),
        "tensorflow.serving.ModelService": ("GetModelStatus", "HandleReloadConfigRequest"),
        "grpc.health.v1.Health": ("Check",),
    }
    with grpc.insecure_channel(unharmed.grpc_address) as channel:
        for service, names in methods.items():
            for name in names:
                code, text = status_of(channel.unary_unary(f"/{service}/{name}").future(b"\x07", timeout=SECONDS))
                assert allowed.reason(allowed.GRPC, code, text), f"{name}: {code} {text}"
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"\x07", timeout=SECONDS)
        assert allowed.reason(allowed.GRPC, *status_of(watch))


def test_bytes_that_are_no_call_are_dropped_and_forgotten(unharmed: ServerProcess, seed: int) -> None:
    client = RawHttp(unharmed.grpc_address)
    with grpc.insecure_channel(unharmed.grpc_address) as channel:
        for number in range(CONNECTIONS):
            client.shout(h2_bytes.connection(seed, number))
            if number % 100 == 99:
                assert still_good(channel), f"no good answer after connection {number}"
