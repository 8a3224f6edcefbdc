"""The sampled log of requests and answers."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code
from serving.server import prediction_log, tfrecord
from serving.server.model_config import LoggingSettings
from serving.server.prediction_log import LogLimits, PredictionLogger

QUICK = LogLimits(gather_seconds=0.01)
SPEC = wire.ModelSpec(name="m", signature_name="s", version_label="stable")
REQUEST = wire.PredictRequest(model_spec=SPEC, inputs={"x": wire.TensorProto(dtype=1, float_val=[1])})
RESPONSE = wire.PredictResponse(outputs={"y": wire.TensorProto(dtype=1, float_val=[2])})


def settings(folder: Path, rate: float = 1.0) -> dict[str, LoggingSettings]:
    return {"m": LoggingSettings(prefix=f"{folder}/log", sampling_rate=rate)}


def records(folder: Path) -> list[wire.PredictionLog]:
    return [wire.PredictionLog.FromString(record) for path in sorted(folder.iterdir()) for record in tfrecord.read(path)]


def eventually(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


class Counts(list):
    def __call__(self, model: str, version: int | None, code: Code) -> None:
        self.append((model, version, code.name))


def test_a_record_holds_request_answer_and_what_answered(tmp_path):
    counts = Counts()
    logger = PredictionLogger(settings(tmp_path, 0.5), counts, QUICK, draw=lambda: 0.4)
    logger.log_predict(REQUEST, RESPONSE, 7)
    logger.close()
    (record,) = records(tmp_path)
    assert (record.predict_log.request, record.predict_log.response) == (REQUEST, RESPONSE)
    described = record.log_metadata.model_spec
    assert (described.name, described.signature_name, described.version.value) == ("m", "s", 7)
    assert record.log_metadata.sampling_config.sampling_rate == 0.5
    assert counts == [("m", 7, "OK")]


def test_every_kind_of_request_has_its_own_field(tmp_path):
    logger = PredictionLogger(settings(tmp_path), limits=QUICK)
    logger.log_classify(wire.ClassificationRequest(model_spec=SPEC), wire.ClassificationResponse(), 1)
    logger.log_regress(wire.RegressionRequest(model_spec=SPEC), wire.RegressionResponse(), 1)
    logger.log_multi_inference(wire.MultiInferenceRequest(tasks=[wire.InferenceTask(model_spec=SPEC)]), wire.MultiInferenceResponse(), None)
    logger.log_multi_inference(wire.MultiInferenceRequest(), wire.MultiInferenceResponse(), None)
    logger.close()
    logged = records(tmp_path)
    assert [record.WhichOneof("log_type") for record in logged] == ["classify_log", "regress_log", "multi_inference_log"]
    assert logged[2].log_metadata.model_spec.name == "m"
    assert not logged[2].log_metadata.model_spec.HasField("version")


@pytest.mark.parametrize(("rate", "expected"), [(0.0, 0), (0.3, 3), (1.0, 10)])
def test_the_rate_is_the_part_of_requests_that_is_logged(tmp_path, rate, expected):
    draws = iter(number / 10 for number in range(10))
    logger = PredictionLogger(settings(tmp_path, rate), limits=QUICK, draw=lambda: next(draws))
    for _ in range(10):
        logger.log_predict(REQUEST, RESPONSE, 1)
    logger.close()
    assert len(records(tmp_path)) == expected


def test_a_model_without_settings_is_not_logged_until_it_has_some(tmp_path):
    logger = PredictionLogger({}, limits=QUICK)
    logger.log_predict(REQUEST, RESPONSE, 1)
    logger.configure(settings(tmp_path))
    logger.log_predict(REQUEST, RESPONSE, 2)
    logger.close()
    assert [record.log_metadata.model_spec.version.value for record in records(tmp_path)] == [2]


def test_a_record_is_in_its_file_without_waiting_for_the_next(tmp_path):
    logger = PredictionLogger(settings(tmp_path), limits=QUICK)
    logger.log_predict(REQUEST, RESPONSE, 1)
    eventually(lambda: len(records(tmp_path)) == 1)
    logger.close()


def test_the_file_of_a_model_that_is_gone_is_closed(tmp_path):
    logger = PredictionLogger(settings(tmp_path), limits=QUICK)
    logger.log_predict(REQUEST, RESPONSE, 1)
    eventually(lambda: logger._files)
    logger.configure({})
    eventually(lambda: not logger._files)
    logger.close()


def test_what_does_not_fit_is_dropped_and_counted_and_nobody_waits(tmp_path, monkeypatch):
    counts, blocked, release = Counts(), threading.Event(), threading.Event()

    def slow(self: object, group: list[bytes]) -> int:
        del self
        blocked.set()
        release.wait(5)
        return len(group)

    monkeypatch.setattr(prediction_log.RecordFiles, "append", slow)
    size = len(_content())
    logger = PredictionLogger(settings(tmp_path), counts, LogLimits(queue_bytes=2 * size, gather_seconds=0))
    logger.log_predict(REQUEST, RESPONSE, 1)
    blocked.wait(5)
    for version in (2, 3, 4):  # the first is being written and still takes its place
        logger.log_predict(REQUEST, RESPONSE, version)
    assert counts == [("m", 3, "RESOURCE_EXHAUSTED"), ("m", 4, "RESOURCE_EXHAUSTED")]
    release.set()
    logger.close()
    assert counts[2:] == [("m", 1, "OK"), ("m", 2, "OK")]
    logger.log_predict(REQUEST, RESPONSE, 5)
    assert counts[-1] == ("m", 5, "RESOURCE_EXHAUSTED")


def test_what_is_written_makes_room_for_more(tmp_path):
    counts = Counts()
    logger = PredictionLogger(settings(tmp_path), counts, LogLimits(queue_bytes=len(_content()), gather_seconds=0))
    for number in (1, 2, 3):
        eventually(lambda: not logger._bytes)
        logger.log_predict(REQUEST, RESPONSE, number)
    logger.close()
    assert [code for _, _, code in counts] == ["OK"] * 3


def _content() -> bytes:
    log = wire.PredictLog(request=REQUEST, response=RESPONSE)
    return wire.PredictionLog(log_metadata=prediction_log.metadata("m", "s", 1, 1.0), predict_log=log).SerializeToString()


def test_a_disk_that_cannot_be_written_is_told_once_and_counted_each_time(tmp_path, caplog):
    folder, counts = tmp_path / "log-folder", Counts()
    folder.write_text("a file where the folder should be", encoding="utf-8")
    logger = PredictionLogger(settings(folder), counts, QUICK)
    for number in (1, 2):
        logger.log_predict(REQUEST, RESPONSE, number)
        eventually(lambda number=number: len(counts) == number)
    assert [code for _, _, code in counts] == ["UNAVAILABLE"] * 2
    assert caplog.text.count("requests go unlogged") == 1
    folder.unlink()
    logger.log_predict(REQUEST, RESPONSE, 3)
    logger.close()
    assert counts[-1] == ("m", 3, "OK")
    assert len(records(folder)) == 1


def test_a_message_that_cannot_be_logged_fails_no_request(tmp_path, caplog):
    counts = Counts()
    logger = PredictionLogger(settings(tmp_path), counts, QUICK)
    logger.log_predict(REQUEST, wire.RegressionResponse(), 1)  # type: ignore[arg-type]
    assert counts == [("m", 1, "INTERNAL")]
    assert "cannot be logged" in caplog.text
    logger.close()


def test_a_count_that_fails_does_not_end_the_log(tmp_path, caplog):
    broken = [True]

    def counted(*_: object) -> None:
        if broken.pop() if broken else False:
            raise ValueError("no metrics")

    logger = PredictionLogger(settings(tmp_path), counted, QUICK)
    logger.log_predict(REQUEST, RESPONSE, 1)
    eventually(lambda: "records lost" in caplog.text)
    logger.log_predict(REQUEST, RESPONSE, 2)
    logger.close()
    assert len(records(tmp_path)) == 2


def test_an_unused_log_has_neither_thread_nor_file(tmp_path):
    logger = PredictionLogger(settings(tmp_path, 0.0), limits=QUICK)
    logger.log_predict(REQUEST, RESPONSE, 1)
    logger.close()
    assert logger._writer is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("hurry", ["close", "a full queue"])
def test_records_are_gathered_only_as_long_as_nothing_is_pressing(tmp_path, hurry):
    limits = LogLimits(gather_seconds=3600) if hurry == "close" else LogLimits(queue_bytes=len(_content()), gather_seconds=3600)
    counts = Counts()
    logger = PredictionLogger(settings(tmp_path), counts, limits)
    logger.log_predict(REQUEST, RESPONSE, 1)
    if hurry == "close":
        logger.close()
    eventually(lambda: counts == [("m", 1, "OK")])
    logger.close()
