"""Our messages are TF Serving's on the wire, and live beside the official ones in one process."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire

BYTES, MESSAGE, ENUM, INT32 = 12, 11, 14, 5
# Fields that only ours or only a newer upstream has to know; both sides skip what they do not know.
PAIRS = {
    "TensorProto": "tensorflow.core.framework.tensor_pb2",
    "TensorShapeProto": "tensorflow.core.framework.tensor_shape_pb2",
    "TensorInfo": "tensorflow.core.protobuf.meta_graph_pb2",
    "SignatureDef": "tensorflow.core.protobuf.meta_graph_pb2",
    "Example": "tensorflow.core.example.example_pb2",
    "Features": "tensorflow.core.example.feature_pb2",
    "Feature": "tensorflow.core.example.feature_pb2",
    "ModelSpec": "tensorflow_serving.apis.model_pb2",
    "PredictRequest": "tensorflow_serving.apis.predict_pb2",
    "PredictResponse": "tensorflow_serving.apis.predict_pb2",
    "Input": "tensorflow_serving.apis.input_pb2",
    "ExampleListWithContext": "tensorflow_serving.apis.input_pb2",
    "ClassificationRequest": "tensorflow_serving.apis.classification_pb2",
    "ClassificationResponse": "tensorflow_serving.apis.classification_pb2",
    "Class": "tensorflow_serving.apis.classification_pb2",
    "RegressionRequest": "tensorflow_serving.apis.regression_pb2",
    "RegressionResponse": "tensorflow_serving.apis.regression_pb2",
    "GetModelMetadataRequest": "tensorflow_serving.apis.get_model_metadata_pb2",
    "GetModelMetadataResponse": "tensorflow_serving.apis.get_model_metadata_pb2",
    "SignatureDefMap": "tensorflow_serving.apis.get_model_metadata_pb2",
    "GetModelStatusRequest": "tensorflow_serving.apis.get_model_status_pb2",
    "GetModelStatusResponse": "tensorflow_serving.apis.get_model_status_pb2",
    "ModelVersionStatus": "tensorflow_serving.apis.get_model_status_pb2",
    "PredictionLog": "tensorflow_serving.apis.prediction_log_pb2",
}


@pytest.fixture(scope="module")
def official() -> Any:
    """Looks up an official message class. The import warns about its own dependencies, which is not ours to mend."""
    pytest.importorskip("tensorflow_serving")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        modules = {name: __import__(path, fromlist=["x"]) for name, path in PAIRS.items()}
    return lambda name: getattr(modules[name], name)


def kinds(theirs: Any, ours: Any) -> tuple[Any, Any]:
    """The wire type of two fields; an embedded message may be declared as bytes, an enum as int32."""
    if (theirs.type, ours.type) in {(MESSAGE, BYTES), (ENUM, INT32)}:
        return ours.type, ours.type
    return theirs.type, ours.type


def compare(theirs: Any, ours: Any, seen: set[str]) -> None:
    if ours.full_name in seen:
        return
    seen.add(ours.full_name)
    for number, field in ours.fields_by_number.items():
        other = theirs.fields_by_number[number]
        assert other.name == field.name, f"{ours.full_name}.{field.name}"
        their_kind, our_kind = kinds(other, field)
        assert their_kind == our_kind, f"{ours.full_name}.{field.name}"
        assert repeated(other) == repeated(field), f"{ours.full_name}.{field.name}"
        if field.type == MESSAGE:
            compare(other.message_type, field.message_type, seen)
        if field.type == ENUM:
            assert {v.number: v.name for v in field.enum_type.values}.items() <= {v.number: v.name for v in other.enum_type.values}.items()


def repeated(field: Any) -> bool:
    # protobuf 6 deprecates `label` in favour of `is_repeated`, which protobuf 4 does not have.
    return field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED


@pytest.mark.parametrize("name", PAIRS)
def test_fields_have_upstreams_numbers_types_and_names(official, name):
    compare(official(name).DESCRIPTOR, getattr(wire, name).DESCRIPTOR, set())


def test_an_official_request_is_read_and_written_back(official):
    theirs = official("PredictRequest")()
    theirs.model_spec.name = "m"
    theirs.model_spec.version.value = 3
    theirs.inputs["x"].dtype = 1
    theirs.inputs["x"].tensor_shape.dim.add().size = 2
    theirs.inputs["x"].float_val.extend([1.5, 2.5])
    ours = wire.PredictRequest.FromString(theirs.SerializeToString())
    assert ours.model_spec.version.value == 3
    np.testing.assert_array_equal(tensors.to_array(ours.inputs["x"]), np.float32([1.5, 2.5]))
    assert official("PredictRequest").FromString(ours.SerializeToString()) == theirs


def test_an_official_example_is_ours_as_bytes(official):
    example = official("Example")()
    example.features.feature["x"].float_list.value.append(1.5)
    theirs = official("ClassificationRequest")()
    theirs.input.example_list.examples.append(example)
    ours = wire.ClassificationRequest.FromString(theirs.SerializeToString())
    (serialized,) = ours.input.example_list.examples
    assert wire.Example.FromString(serialized).features.feature["x"].float_list.value == [1.5]
