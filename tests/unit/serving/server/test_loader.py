"""From a version directory to a model that may answer; what is in the directory is a fake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code, StatusError
from serving.server import savedmodel, tfrecord
from serving.server.batching.batched import BatchedServable
from serving.server.batching_parameters import BatchingParameters
from serving.server.flags import Flags
from serving.server.loader import LoadSettings, ModelLoader, settings_of
from serving.server.messages import CallOptions
from serving.server.metrics import Metrics
from serving.server.model_config import ModelConfig
from serving.server.savedmodel import LoadOptions
from serving.server.schemas.batching import PER_MODEL_FILE
from serving.server.warmup import WARMUP_FILE
from tests.fakes.servable import FakeServable, double
from tests.fakes.versions import make_version, write_manifest

M = ModelConfig("m", "/models/m")
PLAIN = LoadSettings(LoadOptions())


class Loads:
    """Stands for TensorFlow: remembers what was loaded, with which options, and every run."""

    def __init__(self) -> None:
        self.calls: list[tuple[Path, LoadOptions]] = []
        self.runs = 0
        self.last = FakeServable()

    def __call__(self, path: Path, options: LoadOptions) -> FakeServable:
        self.calls.append((path, options))
        self.last = FakeServable(graph=self._run)
        return self.last

    def _run(self, feeds):
        self.runs += 1
        return double(feeds)


@pytest.fixture
def loads(monkeypatch) -> Loads:
    made = Loads()
    monkeypatch.setattr(savedmodel, "load", made)
    return made


@pytest.fixture
def version(tmp_path) -> Path:
    return make_version(tmp_path / "m", 1)


@pytest.fixture
def make() -> Iterator[object]:
    made: list[ModelLoader] = []

    def make(settings: LoadSettings = PLAIN, metrics: Metrics | None = None, *, strict: bool = False) -> ModelLoader:
        made.append(ModelLoader({"tensorflow": settings}, metrics or Metrics(), strict=strict))
        return made[-1]

    yield make
    for one in made:
        one.close()


def write_warmup(path: Path, *aliases: str) -> None:
    """One predict request for each alias; the model knows x."""
    requests = [wire.PredictRequest(inputs={alias: tensors.to_proto(np.float32([1]))}) for alias in aliases]
    (path / WARMUP_FILE).parent.mkdir(exist_ok=True)
    logs = (wire.PredictionLog(predict_log=wire.PredictLog(request=request)) for request in requests)
    tfrecord.write(path / WARMUP_FILE, [log.SerializeToString() for log in logs])


def refusal(make_loader, path: Path, config: ModelConfig = M) -> tuple[Code, str]:
    with pytest.raises(StatusError) as caught:
        make_loader.load(config, path)
    return caught.value.code, caught.value.message


def test_a_version_is_loaded_with_the_options_of_its_platform(make, loads, version):
    options = LoadOptions(tags=("a", "b"))
    assert make(LoadSettings(options)).load(M, version) is loads.last
    assert loads.calls == [(version, options)]


def test_a_platform_that_nobody_configured_is_refused(make, loads, version):
    found = refusal(make(), version, ModelConfig("m", "/models/m", platform="caffe"))
    assert found == (Code.INVALID_ARGUMENT, "Model m requests unsupported platform caffe")
    assert not loads.calls


def test_a_manifest_that_does_not_fit_stops_the_load_unless_strict(make, loads, version):
    write_manifest(version)
    make().load(M, version)
    (version / "saved_model.pb").write_text("changed")
    code, message = refusal(make(), version)
    assert code is Code.DATA_LOSS
    assert "saved_model.pb" in message
    make(strict=True).load(M, version)
    assert len(loads.calls) == 2


def test_warm_up_runs_before_the_model_is_handed_over(make, loads, version):
    write_warmup(version, "x", "x")
    metrics = Metrics()
    make(LoadSettings(LoadOptions(), warmup_iterations=3), metrics).load(M, version)
    assert loads.runs == 6
    (point,) = metrics.snapshot()["/tensorflow/serving/model_warmup_records_read"]["points"]
    assert (point["labels"][:2], point["value"]) == ([str(version), "OK"], 2)


def test_warm_up_can_be_switched_off(make, loads, version):
    write_warmup(version, "nonsense")
    make(LoadSettings(LoadOptions(), warmup=False)).load(M, version)
    assert loads.runs == 0


@pytest.mark.parametrize("batching", [None, BatchingParameters(num_batch_threads=1)], ids=["plain", "batched"])
def test_a_model_whose_warm_up_fails_is_closed(make, loads, version, batching):
    write_warmup(version, "x", "nonsense")
    code, message = refusal(make(LoadSettings(LoadOptions(), batching)), version)
    assert code is Code.INVALID_ARGUMENT
    assert "nonsense" in message
    assert loads.last.closed


def test_a_warm_up_file_that_is_damaged_closes_the_model_and_is_counted(make, loads, version):
    write_warmup(version, "x")
    (version / WARMUP_FILE).write_bytes(b"junk that is longer than a header")
    metrics = Metrics()
    assert refusal(make(PLAIN, metrics), version)[0] is Code.DATA_LOSS
    assert loads.last.closed
    (point,) = metrics.snapshot()["/tensorflow/serving/model_warmup_records_read"]["points"]
    assert point["labels"][1] == "DATA_LOSS"


@pytest.mark.usefixtures("loads")
def test_calls_of_the_warm_up_are_checked_as_those_of_clients(make, version):
    write_warmup(version, "x")
    code, message = refusal(make(LoadSettings(LoadOptions(), calls=CallOptions(check_method_names=True))), version)
    assert code is Code.INTERNAL
    assert "Expected prediction signature method_name" in message


def test_with_batching_warm_up_passes_through_the_queue(make, loads, version):
    write_warmup(version, "x")
    model = make(LoadSettings(LoadOptions(), BatchingParameters(num_batch_threads=1))).load(M, version)
    assert isinstance(model, BatchedServable)
    assert loads.runs == 1
    model.close()
    assert loads.last.closed


def test_parameters_that_no_queue_takes_close_the_model(make, loads, version):
    wrong = BatchingParameters(num_batch_threads=1, allowed_batch_sizes=(4,), max_batch_size=8)
    assert refusal(make(LoadSettings(LoadOptions(), wrong)), version)[0] is Code.INVALID_ARGUMENT
    assert loads.last.closed


PER_MODEL = LoadSettings(LoadOptions(), BatchingParameters(num_batch_threads=1), per_model_batching=True)


def test_a_version_without_parameters_of_its_own_is_then_not_batched(make, loads, version):
    assert make(PER_MODEL).load(M, version) is loads.last


@pytest.mark.usefixtures("loads")
def test_a_version_with_parameters_of_its_own_is_batched_by_them(make, version):
    (version / PER_MODEL_FILE).write_text("max_batch_size { value: 2 } num_batch_threads { value: 99 }")
    model = make(PER_MODEL).load(M, version)
    with pytest.raises(StatusError, match="Task size 3 is larger than maximum input batch size 2"):
        model.run({"x:0": np.float32([1, 2, 3])}, ["y:0"])
    model.close()


@pytest.mark.parametrize(("content", "message"), [(b"junk", "Invalid protobuf file: '{file}'"), (b"\xff", "{file} cannot be read: ")])
def test_parameters_that_cannot_be_read_are_named_and_close_the_model(make, loads, version, content, message):
    file = version / PER_MODEL_FILE
    file.write_bytes(content)
    code, found = refusal(make(PER_MODEL), version)
    assert code is Code.INVALID_ARGUMENT
    assert found.startswith(message.format(file=file))
    assert loads.last.closed


def test_flags_become_the_settings_of_the_one_platform():
    found = settings_of(
        Flags(saved_model_tags="serve, gpu", prefer_tflite_model=True, num_tflite_pools=2, num_tflite_interpreters_per_pool=3)
    )
    assert list(found) == ["tensorflow"]
    options = found["tensorflow"].options
    assert (options.tags, options.prefer_tflite, options.tflite_interpreters, options.strict) == (("serve", "gpu"), True, 6, False)
    assert found["tensorflow"].batching is None
    assert settings_of(Flags(compat="strict"))["tensorflow"].options.strict


def test_batching_without_a_file_has_a_thread_pool_of_its_own_name():
    found = settings_of(Flags(enable_batching=True))["tensorflow"].batching
    assert found is not None
    assert found.thread_pool_name == "model_server_batch_threads"


def test_batching_with_a_file_is_what_the_file_says(tmp_path):
    (tmp_path / "batching").write_text("max_batch_size { value: 7 }")
    found = settings_of(Flags(enable_batching=True, batching_parameters_file=f"{tmp_path}/batching"))["tensorflow"].batching
    assert found is not None
    assert (found.max_batch_size, found.thread_pool_name) == (7, "batch_threads")


def test_flags_of_calls_and_warm_up_reach_the_settings():
    flags = Flags(
        enable_model_warmup=False,
        num_request_iterations_for_warmup=4,
        enable_signature_method_name_check=True,
        enable_serialization_as_tensor_content=True,
        enable_per_model_batching_parameters=True,
    )
    found = settings_of(flags)["tensorflow"]
    assert (found.warmup, found.warmup_iterations, found.per_model_batching) == (False, 4, True)
    assert found.calls == CallOptions(True, True)


PLATFORM = """
platform_configs { key: "tensorflow" value { source_adapter_config {
  [type.googleapis.com/tensorflow.serving.SavedModelBundleSourceAdapterConfig] { legacy_config {
    saved_model_tags: "gpu" enable_model_warmup: true
    model_warmup_options { num_request_iterations { value: 5 } }
    batching_parameters { max_batch_size { value: 9 } }
  } }
} } }
"""


def test_a_platform_file_replaces_the_flags(tmp_path):
    (tmp_path / "platforms").write_text(PLATFORM)
    found = settings_of(Flags(platform_config_file=f"{tmp_path}/platforms", saved_model_tags="other"))["tensorflow"]
    assert (tuple(found.options.tags), found.warmup, found.warmup_iterations) == (("gpu",), True, 5)
    assert found.batching is not None
    assert found.batching.max_batch_size == 9


def test_fields_of_a_platform_file_without_effect_are_told_in_one_line(tmp_path, caplog):
    file = tmp_path / "platforms"
    file.write_text(PLATFORM)
    settings_of(Flags(platform_config_file=str(file)))
    assert caplog.messages == []
    file.write_text(PLATFORM.replace("saved_model_tags", 'enable_session_metadata: true session_target: "x" saved_model_tags'))
    settings_of(Flags(platform_config_file=str(file)))
    assert caplog.messages == [f"{file}: platform tensorflow: no effect here: session_target, enable_session_metadata"]


@pytest.mark.parametrize("name", ["platform_config_file", "batching_parameters_file", "tensorflow_session_config_file"])
def test_a_settings_file_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(StatusError, match=f"{tmp_path}/gone; No such file or directory"):
        settings_of(Flags(**{name: f"{tmp_path}/gone", "enable_batching": True}))


@pytest.mark.usefixtures("loads")
def test_all_models_share_the_threads_of_batching(make, version):
    made = make(LoadSettings(LoadOptions(), BatchingParameters(num_batch_threads=1)))
    one, other = made.load(M, version), made.load(M, version)
    assert made._scheduler is not None
    assert one._scheduler is other._scheduler is made._scheduler
    one.close()
    other.close()
