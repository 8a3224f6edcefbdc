"""The exported model answers the same over every signature, after it was loaded the way TensorFlow Serving loads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.training.names import PREDICT, SERVING_DEFAULT, TRANSFORM
from pipeline.use_cases.taxi.features import LABEL, one_hot_depths
from serving import golden
from serving.rows import MISSING_INT

CLASSIFY = "classify"
HPARAMS = {"hidden_units": [4], "learning_rate": 0.01, "dropout": 0.5}


class Exported:
    """A tiny model, saved with its extras, and its answers before and after the disk."""

    def __init__(self, folder: Path, use_case: Any, graph: Any) -> None:
        import keras

        from pipeline.training.export import ServedModel, save
        from pipeline.training.golden import write_extras
        from pipeline.training.inputs import serving_spec

        keras.utils.set_random_seed(1)
        model = use_case.load(use_case.build_model_name)(HPARAMS)
        # Weights that no initializer gives: a loader that forgets them is found out.
        model.set_weights([weight + 0.1 * number for number, weight in enumerate(model.get_weights(), start=1)])
        self.folder = folder
        self.variables = len(model.variables)
        self.rows = list(use_case.golden_rows())
        self.spec = serving_spec(graph, use_case.raw_label)
        served = ServedModel(model, graph, use_case)
        self.answers = save(served, str(folder))
        write_extras(folder, self.rows, self.spec, self.answers, served)

    def load(self) -> None:
        """Load as TF Serving does: the graph of the serve tag, restored into a session of its own."""
        import tensorflow as tf

        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            self.loaded = tf.compat.v1.saved_model.load(self.session, ["serve"], str(self.folder))

    def ask(self, signature: str, inputs: dict[str, Any]) -> dict[str, np.ndarray]:
        """Run one signature of what was loaded."""
        found = self.loaded.signature_def[signature]
        feed = {found.inputs[name].name: value for name, value in inputs.items()}
        return self.session.run({name: tensor.name for name, tensor in found.outputs.items()}, feed)


@pytest.fixture(scope="session")
def exported(transformed, use_case, tmp_path_factory) -> Iterator[Exported]:
    made = Exported(tmp_path_factory.mktemp("exported") / "model", use_case, transformed.graph)
    made.load()
    yield made
    made.session.close()


@pytest.fixture(scope="session")
def columns(exported):
    from pipeline.training.golden import columns_of

    return columns_of(exported.rows, exported.spec)


@pytest.fixture(scope="session")
def examples(exported):
    from pipeline.training.golden import examples_of

    return examples_of(exported.rows, exported.spec)


def test_every_signature_gives_the_same_answer_after_the_disk(exported, columns, examples):
    by_column = exported.ask(PREDICT, columns)
    by_example = exported.ask(SERVING_DEFAULT, {"examples": examples})
    classified = exported.ask(CLASSIFY, {"inputs": examples})
    np.testing.assert_allclose(by_column["probability"], by_example["probability"], rtol=1e-6)
    np.testing.assert_allclose(classified["scores"][:, 1], by_example["probability"], rtol=1e-6)
    np.testing.assert_allclose(classified["scores"].sum(axis=1), 1.0, rtol=1e-6)
    assert by_column["label"].tolist() == by_example["label"].tolist()


def test_the_answers_are_the_trainers_own(exported, columns):
    import tensorflow as tf

    right = exported.answers[PREDICT](**{name: tf.constant(value) for name, value in columns.items()})
    np.testing.assert_allclose(exported.ask(PREDICT, columns)["probability"], right["probability"].numpy(), rtol=1e-6)
    assert len(set(right["probability"].numpy().tolist())) > 3, "a model that always answers the same proves nothing"


def test_the_label_follows_the_probability(exported, columns, use_case):
    answer = exported.ask(PREDICT, columns)
    words = [use_case.classes[int(value >= 0.5)].encode() for value in answer["probability"]]
    assert answer["label"].tolist() == words


def test_a_missing_value_is_the_same_as_an_absent_feature(exported, columns, examples):
    missing = {"f": float("nan"), "i": MISSING_INT, "O": b""}
    last = {name: np.array([missing[value.dtype.kind]], value.dtype) for name, value in columns.items()}
    import tensorflow as tf

    nothing = np.array([tf.train.Example().SerializeToString()], object)
    np.testing.assert_array_equal(
        exported.ask(PREDICT, last)["probability"], exported.ask(SERVING_DEFAULT, {"examples": nothing})["probability"]
    )
    # And column by column: one value left out changes nothing else.
    for name, value in columns.items():
        gap = value.copy()
        gap[0] = missing[value.dtype.kind]
        example = tf.train.Example.FromString(examples[0])
        example.features.feature.pop(name, None)
        by_column = exported.ask(PREDICT, {**columns, name: gap})["probability"][0]
        by_example = exported.ask(SERVING_DEFAULT, {"examples": np.array([example.SerializeToString()], object)})["probability"][0]
        assert by_column == pytest.approx(by_example, rel=1e-6), name


@pytest.mark.parametrize("batch", [1, 3])
def test_rows_of_a_batch_do_not_meet(exported, columns, batch):
    together = exported.ask(PREDICT, columns)["probability"]
    some = exported.ask(PREDICT, {name: value[:batch] for name, value in columns.items()})["probability"]
    np.testing.assert_allclose(some, together[:batch], rtol=1e-5)


def test_the_label_column_is_never_asked_for(exported, columns, use_case):
    assert use_case.raw_label not in columns
    assert use_case.raw_label not in exported.spec


def test_the_evaluator_gets_the_label_and_the_features(exported, examples, use_case):
    import tensorflow as tf

    example = tf.train.Example.FromString(examples[0])
    example.features.feature[use_case.raw_label].float_list.value.append(100.0)
    outputs = exported.ask(TRANSFORM, {"examples": np.array([example.SerializeToString()], object)})
    assert outputs[LABEL].tolist() == [1.0]
    assert set(one_hot_depths()) <= set(outputs)


def test_classify_has_tf_servings_method_name(exported):
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((exported.folder / "saved_model.pb").read_bytes())
    methods = {name: found.method_name for name, found in saved.meta_graphs[0].signature_def.items()}
    assert methods[CLASSIFY] == "tensorflow/serving/classify"
    assert methods[PREDICT] == methods[SERVING_DEFAULT] == "tensorflow/serving/predict"


def test_no_variable_is_saved_twice(exported):
    import tensorflow as tf

    names = [name for name, _ in tf.train.list_variables(str(exported.folder / "variables" / "variables"))]
    assert sum("VARIABLE_VALUE" in name for name in names) == exported.variables, names


def test_golden_requests_are_the_answers_after_the_disk(exported):
    requests = golden.read(exported.folder)
    assert [request.signature for request in requests] == [PREDICT, SERVING_DEFAULT, CLASSIFY]
    for request in requests:
        answer = exported.ask(request.signature, dict(request.inputs))
        assert set(answer) == set(request.outputs)
        for name, right in request.outputs.items():
            if right.dtype.kind == "O":
                assert answer[name].tolist() == right.tolist()
            else:
                np.testing.assert_allclose(answer[name], right, rtol=1e-5)


def test_warm_up_holds_a_record_for_each_signature(exported):
    import tensorflow as tf

    from pipeline.training.golden import WARMUP
    from serving.protocol import wire_pb2

    logs = [wire_pb2.PredictionLog.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(exported.folder / WARMUP))]
    assert [log.WhichOneof("log_type") for log in logs] == ["predict_log", "predict_log", "classify_log"]
    assert logs[0].predict_log.request.model_spec.signature_name == PREDICT
    assert len(logs[2].classify_log.request.input.example_list.examples) == len(exported.rows)
