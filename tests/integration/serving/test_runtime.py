"""TensorFlow's C library on real models: what it loads, what it answers, how it is stopped, and why it refuses."""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import numpy as np
import psutil
import pytest
from google.protobuf import text_format

from serving.protocol import wire_pb2 as wire
from serving.protocol.dtypes import BY_NAME
from serving.protocol.status import Code, StatusError
from serving.server import savedmodel
from serving.server.runtime import session
from serving.server.savedmodel import LoadOptions
from serving.server.servable import Servable
from tests.integration.serving.contract.zoo import DTYPES, zoo
from tests.integration.serving.small_model import saved_model

STRICT = LoadOptions(strict=True)
WRONG_TYPE = "Type mismatch|to be float but int32 is provided"


@pytest.fixture(scope="module")
def half() -> Iterator[Servable]:
    model = savedmodel.load(zoo() / "half_plus_two")
    yield model
    model.close()


@pytest.fixture(scope="module")
def columns() -> Iterator[Servable]:
    model = savedmodel.load(zoo() / "columns")
    yield model
    model.close()


@pytest.fixture
def slow() -> Iterator[Servable]:
    """Takes as many seconds as it is told."""
    model = savedmodel.load(zoo() / "slow")
    yield model
    model.close()


def ask(model: Servable, signature: str = "serving_default", timeout: float | None = None, **inputs: object) -> dict[str, np.ndarray]:
    """The outputs of a signature by alias."""
    spec = model.signatures[signature]
    feeds = {each.tensor_name: np.asarray(inputs[alias]).astype(BY_NAME[each.dtype].numpy) for alias, each in spec.inputs.items()}
    values = model.run(feeds, [each.tensor_name for each in spec.outputs.values()], timeout)
    return dict(zip(spec.outputs, values, strict=True))


def refusal(*arguments: object, **inputs: object) -> tuple[Code, str]:
    with pytest.raises(StatusError) as caught:
        ask(*arguments, **inputs)  # type: ignore[arg-type]
    return caught.value.code, caught.value.message


def test_a_model_of_tensorflow_1_answers(half):
    assert ask(half, x=[[1], [2]])["y"].tolist() == [[2.5], [3.0]]
    assert half.signature_defs["regress_x_to_y"].method_name == "tensorflow/serving/regress"


def test_a_model_of_keras_answers():
    model = savedmodel.load(zoo() / "keras")
    assert next(iter(ask(model, a=[[1]], b=[[2]]).values())).tolist() == [[5.0]]
    model.close()


@pytest.mark.parametrize("name", DTYPES)
def test_every_element_type_goes_through_a_graph_and_comes_back(name):
    model = savedmodel.load(zoo() / "echo")
    array = np.array([b"a", b"\xff\0"], object) if name == "string" else np.array([[0, 1], [1, 0]]).astype(BY_NAME[name].numpy)
    found = ask(model, name, x=array)["y"]
    assert (found.dtype, found.shape, found.tolist()) == (array.dtype, array.shape, array.tolist())
    model.close()


def test_tables_and_their_assets_are_there():
    model = savedmodel.load(saved_model("plain"))
    feeds = {model.signatures["classify"].inputs["inputs"].tensor_name: np.array([_example(0.0)], object)}
    (classes,) = model.run(feeds, [model.signatures["classify"].outputs["classes"].tensor_name])
    assert classes.tolist() == [[b"low", b"high"]]
    model.close()


def _example(x: float) -> bytes:
    return wire.Example(features=wire.Features(feature={"x": wire.Feature(float_list=wire.FloatList(value=[x]))})).SerializeToString()


def test_an_input_of_another_shape_is_the_operations_own_affair(half):
    spec = half.signatures["serving_default"]
    (y,) = half.run({spec.inputs["x"].tensor_name: np.float32([1, 2])}, [spec.outputs["y"].tensor_name])
    assert y.tolist() == [2.5, 3.0]  # the graph says [None, 1], and TensorFlow's C++ does not insist


def test_a_wrong_type_and_a_failing_operation_keep_tensorflows_code(half, columns):
    spec = half.signatures["serving_default"]
    with pytest.raises(StatusError, match=WRONG_TYPE) as caught:
        half.run({spec.inputs["x"].tensor_name: np.int32([1])}, [spec.outputs["y"].tensor_name])
    assert caught.value.code is Code.INVALID_ARGUMENT
    code, message = refusal(columns, "product", a=[[1, 2]], b=[[1, 2]])
    assert code is Code.INVALID_ARGUMENT
    assert "Matrix size-incompatible" in message


def test_a_model_without_inputs_answers(columns):
    assert ask(columns, "constant")["c"].tolist() == [1.0]


def test_a_run_that_takes_too_long_is_stopped(slow):
    started = time.monotonic()
    code, _ = refusal(slow, "serving_default", 0.1, x=[60.0])
    assert code is Code.DEADLINE_EXCEEDED
    assert time.monotonic() - started < 30
    assert ask(slow, x=[0.0])["y"].tolist()[0] >= 0  # and the next one is not


def test_one_run_under_way_holds_no_other_up(slow, half):
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(ask, slow, x=[1.0])
        answers = 0
        while not running.done():
            ask(half, x=[[1]])
            answers += 1
    assert answers > 1


def test_a_graph_proves_quick_and_a_slow_one_never(half, slow):
    spec = half.signatures["serving_default"]
    feeds, fetches = [spec.inputs["x"].tensor_name], [spec.outputs["y"].tensor_name]
    for _ in range(5000):
        if half.quick(feeds, fetches):
            break
        ask(half, x=[[1]])
    assert half.quick(feeds, fetches)
    assert ask(half, x=[[1], [2]])["y"].tolist() == [[2.5], [3.0]]  # now in the calling thread
    with pytest.raises(StatusError, match=WRONG_TYPE):
        half.run({feeds[0]: np.int32([1])}, fetches)
    spec = slow.signatures["serving_default"]
    for _ in range(20):
        ask(slow, x=[0.01])
    assert not slow.quick([spec.inputs["x"].tensor_name], [spec.outputs["y"].tensor_name])


def test_the_order_of_feeds_does_not_matter(columns):
    spec = columns.signatures["serving_default"]
    feeds = {spec.inputs["x"].tensor_name: np.float32([1]), spec.inputs["n"].tensor_name: np.int64([2])}
    fetches = [spec.outputs["sum"].tensor_name, spec.outputs["count"].tensor_name]
    turned = dict(reversed(feeds.items()))
    assert [each.tolist() for each in columns.run(feeds, fetches)] == [[3.0], [2]]
    assert [each.tolist() for each in columns.run(turned, fetches[::-1])] == [[2], [3.0]]


def test_many_threads_get_their_own_answers(columns):
    def work(number: int) -> bool:
        found = ask(columns, "strings", s=np.array([b"%d" % number] * 3, object))
        return found["text"].tolist() == [b"%d" % number] * 3 and ask(columns, x=[number], n=[number])["sum"].tolist() == [2 * number]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(400)))


def test_loads_runs_and_closes_leave_no_memory():
    def once() -> None:
        model = savedmodel.load(zoo() / "columns")
        ask(model, "strings", s=np.array([b"long enough to be on the heap" * 1000] * 100, object))
        model.close()

    for _ in range(5):
        once()
    gc.collect()
    before = psutil.Process().memory_info().rss
    for _ in range(10):
        once()
    gc.collect()
    assert psutil.Process().memory_info().rss - before < 60 * 2**20  # the strings alone would be 28 MB each time


def test_thread_counts_of_a_session_config_are_taken():
    # ConfigProto: intra_op_parallelism_threads (2) = 1, inter_op_parallelism_threads (5) = 1, use_per_session_threads (9) = true
    model = savedmodel.load(zoo() / "half_plus_two", LoadOptions(session_config=b"\x10\x01\x28\x01\x48\x01"))
    assert ask(model, x=[[1]])["y"].tolist() == [[2.5]]
    model.close()


BROKEN = {
    "no_index": (Code.INVALID_ARGUMENT, "{path}: the graph has variables, and {path}/variables/variables.index is missing"),
    "no_variables": (Code.INVALID_ARGUMENT, "{path}: the graph has variables, and {path}/variables/variables.index is missing"),
    "py_function": (Code.INVALID_ARGUMENT, "{path}: the graph calls Python functions"),
    "short_pb": (Code.INVALID_ARGUMENT, "{path}/saved_model.pb cannot be parsed: it is cut off, or no SavedModel"),
    "unreadable_pb": (Code.INVALID_ARGUMENT, "{path}/saved_model.pb is not a file"),
    "short_shard": (Code.OUT_OF_RANGE, "{path}/variables cannot be restored, a file there is cut off or damaged"),
    "no_shard": (Code.NOT_FOUND, "{path}/variables"),
    "no_pb": (Code.NOT_FOUND, "{path}"),
    "wrong_tags": (Code.NOT_FOUND, "{path}: Could not find meta graph def matching supplied tags: {{ serve }}"),
    "custom_op": (Code.NOT_FOUND, "{path}: Op type not registered 'NobodyRegisteredThis'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_model_is_one_line_that_names_the_place(name):
    path = zoo() / name
    with pytest.raises(StatusError) as caught:
        savedmodel.load(path)
    code, message = BROKEN[name]
    assert caught.value.code is code
    assert message.format(path=path) in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 1500


@pytest.mark.parametrize("name", ["no_index", "no_variables", "py_function"])
def test_a_strict_server_loads_what_can_never_answer_as_upstream_does(name):
    model = savedmodel.load(zoo() / name, STRICT)
    with pytest.raises(StatusError):
        ask(model, x=[[1.0]])
    model.close()


def test_other_tags_may_be_asked_for():
    model = savedmodel.load(zoo() / "wrong_tags", LoadOptions(tags=("train",)))
    assert ask(model, x=[[1]])["y"].tolist() == [[2.5]]
    model.close()


def test_a_model_in_text_form_loads(tmp_path):
    shutil.copytree(zoo() / "half_plus_two", tmp_path / "m")
    (tmp_path / "m" / "saved_model.pb").rename(tmp_path / "m" / "kept")
    # Our own message knows only part of the fields, so the text is an empty model: enough to see that the loader looks for it.
    (tmp_path / "m" / "saved_model.pbtxt").write_text(text_format.MessageToString(wire.SavedModel()))
    with pytest.raises(StatusError, match="Could not find meta graph def matching supplied tags"):
        savedmodel.load(tmp_path / "m")


def test_a_path_that_is_no_text_is_refused():
    with pytest.raises(StatusError, match="is not a path that TensorFlow takes") as caught:
        savedmodel.load(Path("/nowhere/\udcff"))
    assert caught.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(("prefer", "y"), [(False, [[2.5]]), (True, [[3.5]])])
def test_a_tflite_model_is_taken_where_it_is_preferred(prefer, y):
    model = savedmodel.load(zoo() / "tflite", LoadOptions(prefer_tflite=prefer, tflite_interpreters=2))
    found = ask(model, x=[1.0] if prefer else [[1.0]])["y"]
    assert found.tolist() == (y[0] if prefer else y)
    model.close()


def test_a_version_without_tflite_is_served_as_it_is():
    model = savedmodel.load(zoo() / "half_plus_two", LoadOptions(prefer_tflite=True))
    assert isinstance(model, session.SessionModel)
    model.close()


def test_a_tflite_file_that_is_damaged_is_one_line(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"junk")
    with pytest.raises(StatusError, match=f"^{tmp_path}/model.tflite: ") as caught:
        savedmodel.load(tmp_path, LoadOptions(prefer_tflite=True))
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_a_tflite_model_of_many_callers_gives_each_his_answer():
    model = savedmodel.load(zoo() / "tflite", LoadOptions(prefer_tflite=True, tflite_interpreters=2))
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda number: ask(model, x=[number] * (1 + number % 3))["y"].tolist(), range(60)))
    assert found == [[number / 2 + 3] * (1 + number % 3) for number in range(60)]


@pytest.mark.parametrize("quiet", [False, True])
def test_the_runtime_tells_its_version(quiet):
    assert savedmodel.import_runtime(quiet=quiet) == metadata.version("tensorflow")


def test_strict_tells_of_a_missing_model_in_upstreams_words(tmp_path):
    with pytest.raises(StatusError) as caught:
        savedmodel.load(tmp_path, savedmodel.LoadOptions(strict=True))
    assert caught.value.code is Code.NOT_FOUND
    assert caught.value.message == (
        "Specified file path does not appear to contain a SavedModel bundle (should have a file called `saved_model.pb`)\n"
        f"Specified file path: {tmp_path}"
    )
