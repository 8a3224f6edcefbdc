"""Warm-up: the requests a model brings along are run before it may answer anyone else's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code, StatusError, invalid
from serving.server import messages
from serving.server.messages import CallOptions
from serving.server.servable import Servable

WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
_MOST_RECORDS = 1000


@dataclass(frozen=True)
class WarmupReport:
    """How a warm-up went: the records that ran, how long all took in seconds, and OK or what stopped it."""

    path: Path
    records: int
    seconds: float
    code: Code = Code.OK
    message: str = ""


def warm_up(
    servable: Servable,
    path: Path,
    records: Iterable[bytes],
    iterations: int = 1,
    options: CallOptions = CallOptions(),
    observer: Callable[[WarmupReport], None] | None = None,
) -> int:
    """Run every record `iterations` times and return how many records there were; `observer` hears of a failure too.

    Raises StatusError for the first record that cannot be run: a model whose own examples fail must not go live.
    """
    started, count, code, message = time.monotonic(), 0, Code.UNKNOWN, ""
    try:
        for record in records:
            _run_record(servable, path, record, count + 1, iterations, options)
            count += 1
            if count > _MOST_RECORDS:
                raise invalid(f"Number of warmup records exceeds the maximum ({_MOST_RECORDS}) at {path}")
        code = Code.OK
    except StatusError as error:
        code, message = error.code, error.message
        raise
    finally:
        if observer is not None:
            observer(WarmupReport(path, count, time.monotonic() - started, code, message))
    return count


def _run_record(servable: Servable, path: Path, record: bytes, number: int, iterations: int, options: CallOptions) -> None:
    try:
        log = wire.PredictionLog.FromString(record)
    except DecodeError as error:
        raise invalid(f"Failed to parse warmup record: {error} from {path}") from error
    try:
        for _ in range(max(iterations, 1)):
            _run(servable, log, options)
    except StatusError as error:
        raise StatusError(error.code, f"warm-up record {number} of {path}: {error.message}") from error


def _run(servable: Servable, log: wire.PredictionLog, options: CallOptions) -> None:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        messages.predict(servable, log.predict_log.request, options)
    elif kind == "classify_log":
        messages.classify(servable, log.classify_log.request, options)
    elif kind == "regress_log":
        messages.regress(servable, log.regress_log.request, options)
    elif kind == "multi_inference_log":
        messages.multi_inference(servable, log.multi_inference_log.request, options)
    else:
        raise StatusError(Code.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}")
