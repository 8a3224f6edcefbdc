"""Bodies of the REST classify and regress calls, and the tf.Examples in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serving.protocol import wire_pb2 as wire
from serving.protocol.json_arrays import decode_base64, is_base64, print_floats
from serving.protocol.json_text import shown, type_name
from serving.protocol.status import invalid

_INT64_LIMIT = 2**63
_KIND_WORDS = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}


def read_examples(document: Mapping[str, Any]) -> list[bytes]:
    """The serialized tf.Examples of a classify or regress request, the context merged into each. Raises StatusError."""
    context = b""
    if "context" in document:
        context = build_example(document["context"]).SerializeToString()
    if "examples" not in document:  # TF Serving says classify for both methods
        raise invalid(f"JSON Value: {shown(document)} When method is classify, key 'examples' is expected and was not found")
    examples = document["examples"]
    if not isinstance(examples, list):
        raise invalid(f"JSON Value: {shown(document)} Expecting 'examples' value to be an list/array")
    if not examples:
        raise invalid(f"JSON Value: {shown(document)} 'examples' value is an empty array")
    # Two serialized messages in a row are their merge: the example's features win over the context's.
    return [context + build_example(example).SerializeToString() for example in examples]


def build_example(features: Any) -> wire.Example:
    """The tf.Example of a JSON object ``{feature: value or list}``. Raises StatusError."""
    if not isinstance(features, dict):
        raise invalid(f"Example must be JSON object but got JSON {type_name(features)}")
    example = wire.Example()
    for name, value in features.items():
        try:
            feature = example.features.feature[name]
        except UnicodeEncodeError:
            raise invalid(f"Feature: {name} has a name that is not UTF-8") from None
        _fill_feature(feature, name, value if isinstance(value, list) else [value])
    return example


def _fill_feature(feature: wire.Feature, name: str, values: list[Any]) -> None:
    kind = ""
    converted: list[Any] = []
    for value in values:
        value_kind, item = _feature_value(name, value)
        if kind and kind != value_kind:
            raise invalid(f"Unexpected element type in feature: {name} expecting type: {_KIND_WORDS[kind]}")
        kind = value_kind
        converted.append(item)
    if kind:
        getattr(feature, kind).value.extend(converted)


def _feature_value(name: str, value: Any) -> tuple[str, Any]:
    if isinstance(value, bool):
        return "int64_list", int(value)
    if isinstance(value, int):
        if not -_INT64_LIMIT <= value < _INT64_LIMIT:
            raise invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
        return "int64_list", value
    if isinstance(value, float):
        return "float_list", value
    if isinstance(value, str):
        return "bytes_list", value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return "bytes_list", value
    if is_base64(value):
        return "bytes_list", decode_base64(value)
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {type_name(value)}")


def write_classifications(results: Sequence[Sequence[tuple[str, float]]]) -> str:
    """The body of a classify answer: for each example, pairs of label and score."""
    rows = ["[" + ", ".join(f"[{_quoted(label)}, {_number(score)}]" for label, score in classes) + "]" for classes in results]
    return _results(rows)


def write_regressions(values: Sequence[float]) -> str:
    """The body of a regress answer: one number for each example."""
    return _results(print_floats(np.asarray(values, dtype=np.float32)))


def _results(rows: list[str]) -> str:
    if not rows:
        raise invalid("Cannot convert empty results to JSON")
    return '{\n    "results": [' + ", ".join(rows) + "\n    ]\n}"


def _quoted(label: str) -> str:
    return json.dumps(label, ensure_ascii=False)


def _number(score: float) -> str:
    return print_floats(np.asarray([score], dtype=np.float32))[0]
