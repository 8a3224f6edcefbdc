"""What a model says it takes and gives: signatures and the tensors they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_SIGNATURE = "serving_default"
# TensorFlow 2 stores its init op as a signature; nobody may call it.
INIT_OP_SIGNATURE = "__saved_model_init_op"
PREDICT_METHOD = "tensorflow/serving/predict"
CLASSIFY_METHOD = "tensorflow/serving/classify"
REGRESS_METHOD = "tensorflow/serving/regress"


@dataclass(frozen=True)
class TensorSpec:
    """One named input or output.

    ``dtype`` is a name of `serving.protocol.dtypes`; ``shape`` has None for "any", and is None when the rank is unknown;
    ``tensor_name`` is the graph's own name, such as ``serving_default_x:0``.
    """

    dtype: str
    shape: tuple[int | None, ...] | None = None
    tensor_name: str = ""


@dataclass(frozen=True)
class SignatureSpec:
    """One way to call a model."""

    name: str
    method_name: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
