"""LitServe: one API with dynamic batching, one inference worker and one HTTP server for each core, the ZeroMQ queue."""

from __future__ import annotations

from typing import Any

import litserve

from benchmarks.serve.services.savedmodel import PORT, WORKERS, Signature


class Predict(litserve.LitAPI):  # type: ignore[misc] # not in the project's environment
    """A request is one example by column; LitServe makes batches of them."""

    def setup(self, device: str) -> None:  # noqa: ARG002 # LitServe's own name
        self.signature = Signature()

    def decode_request(self, request):  # type: ignore[no-untyped-def] # LitServe would read an annotation as a form to validate
        return request

    def batch(self, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return inputs

    def predict(self, rows: Any) -> Any:
        return self.signature.rows(rows)

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return output

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


if __name__ == "__main__":
    api = Predict(max_batch_size=64, batch_timeout=0.001)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=WORKERS, fast_queue=True)
    server.run(host="127.0.0.1", port=PORT, num_api_servers=WORKERS, log_level="warning", generate_client_file=False, access_log=False)
