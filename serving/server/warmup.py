"""Warm-up: the requests a model brings along are run before it may answer anyone else's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from google.protobuf.message import DecodeError

from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code, StatusError, invalid
from serving.server import messages
from serving.server.servable import Servable

WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
_MOST_RECORDS = 1000


def warm_up(servable: Servable, path: Path, records: Iterable[bytes], iterations: int = 1) -> int:
    """Run every record `iterations` times and return how many records there were.

    Raises StatusError for the first record that cannot be run: a model whose own examples fail must not go live.
    """
    count = 0
    for count, record in enumerate(records, start=1):
        if count > _MOST_RECORDS:
            raise invalid(f"Number of warmup records exceeds the maximum ({_MOST_RECORDS}) at {path}")
        log = _parse(record, path)
        for _ in range(max(iterations, 1)):
            try:
                _run(servable, log)
            except StatusError as error:
                raise StatusError(error.code, f"warm-up record {count} of {path}: {error.message}") from error
    return count


def _parse(record: bytes, path: Path) -> wire.PredictionLog:
    try:
        return wire.PredictionLog.FromString(record)
    except DecodeError as error:
        raise invalid(f"Failed to parse warmup record: {error} from {path}") from error


def _run(servable: Servable, log: wire.PredictionLog) -> None:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        messages.predict(servable, log.predict_log.request)
    elif kind == "classify_log":
        messages.classify(servable, log.classify_log.request)
    elif kind == "regress_log":
        messages.regress(servable, log.regress_log.request)
    else:
        raise StatusError(Code.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}")
