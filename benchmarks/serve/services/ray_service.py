"""Ray Serve: a deployment with dynamic batching, one replica for each core, over REST and with TF Serving's gRPC service."""

from __future__ import annotations

import signal
from typing import Any

import ray
import tensorflow as tf
from ray import serve
from starlette.requests import Request
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from benchmarks.serve.services.savedmodel import GRPC_PORT, PORT, WORKERS, Signature

SERVICE = "tensorflow_serving.apis.prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server"


@serve.deployment(num_replicas=WORKERS, max_ongoing_requests=100, ray_actor_options={"num_cpus": 1}, graceful_shutdown_timeout_s=1)
class Predictor:
    """A request is one example by column; Ray Serve makes batches of them."""

    def __init__(self) -> None:
        self.signature = Signature()

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0)
    async def predict(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self.signature.rows(rows)

    async def __call__(self, request: Request) -> dict[str, Any]:
        answer: dict[str, Any] = await self.predict(await request.json())
        return answer

    async def Predict(self, request: PredictRequest) -> PredictResponse:  # noqa: N802 # the name of the gRPC method
        answer = await self.predict({name: tf.make_ndarray(tensor)[0] for name, tensor in request.inputs.items()})
        return PredictResponse(outputs={name: tf.make_tensor_proto([value]) for name, value in answer.items()})


if __name__ == "__main__":
    quiet = {"enable_access_log": False}
    ray.init(num_cpus=WORKERS, include_dashboard=False)
    http, grpc = {"host": "127.0.0.1", "port": PORT}, {"port": GRPC_PORT, "grpc_servicer_functions": [SERVICE]}
    serve.start(http_options=http, grpc_options=grpc, logging_config=quiet)
    serve.run(Predictor.bind(), route_prefix="/", logging_config=quiet)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()
