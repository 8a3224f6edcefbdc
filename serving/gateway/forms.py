"""What a person fills in to ask a model: fields made from its signature. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from serving.protocol.dtypes import BY_NAME
from serving.protocol.signature import CLASSIFY_METHOD, DEFAULT_SIGNATURE, PREDICT_METHOD, REGRESS_METHOD, SignatureSpec, TensorSpec

Kind = Literal["image", "text", "number", "whole", "flag", "numbers", "other"]
_VERBS = {PREDICT_METHOD: "predict", CLASSIFY_METHOD: "classify", REGRESS_METHOD: "regress"}
# Serialized tf.Examples are for programs.
_EXAMPLES = ("examples", "inputs")
IMAGES = ("image", "images", "photo", "picture", "image_bytes", "image_bytes_list")


def signatures_document(signatures: Mapping[str, SignatureSpec]) -> dict[str, Any]:
    """Every signature with what it takes and gives, as JSON shows it; sizes that may be any are null."""
    return {
        name: {
            "verb": _VERBS.get(spec.method_name, "predict"),
            "inputs": {alias: _tensor(tensor) for alias, tensor in spec.inputs.items()},
            "outputs": {alias: _tensor(tensor) for alias, tensor in spec.outputs.items()},
        }
        for name, spec in signatures.items()
    }


def form(signatures: Mapping[str, SignatureSpec]) -> dict[str, Any] | None:
    """The form for the signature that a person can best fill in: named columns or an image; None where there is none."""
    spec = form_signature(signatures)
    if spec is None:
        return None
    fields = [{"name": name, "kind": kind_of(name, tensor), **_missing(tensor)} for name, tensor in spec.inputs.items()]
    return {"signature": spec.name, "fields": fields, "outputs": sorted(spec.outputs)}


def form_signature(signatures: Mapping[str, SignatureSpec]) -> SignatureSpec | None:
    """The signature that `form` is of."""
    best: SignatureSpec | None = None
    for name in ("predict", DEFAULT_SIGNATURE, *sorted(signatures)):
        spec = signatures.get(name)
        if spec is None or spec.method_name != PREDICT_METHOD or not spec.inputs:
            continue
        kinds = [kind_of(alias, tensor) for alias, tensor in spec.inputs.items()]
        if "other" not in kinds and not (len(spec.inputs) == 1 and next(iter(spec.inputs)) in _EXAMPLES):
            best = spec
            break
    return best


def image_input(spec: SignatureSpec) -> str | None:
    """The input that takes an image's bytes, where the signature has one and needs nothing else."""
    ((name, tensor),) = spec.inputs.items() if len(spec.inputs) == 1 else (("", TensorSpec("")),)
    return name if kind_of(name, tensor) == "image" else None


def kind_of(name: str, tensor: TensorSpec) -> Kind:
    """What is entered for an input. Bytes are an image where the name says so, for a signature knows only strings."""
    if tensor.dtype not in BY_NAME:
        return "other"
    row = tensor.shape[1:] if tensor.shape else None
    if row is None or any(size is None for size in row):
        return "other"
    if tensor.dtype == "string":
        return "other" if row else "image" if name.lower() in IMAGES else "text"
    kind = BY_NAME[tensor.dtype].numpy.kind
    if row:
        return "numbers" if kind in "fiu" else "other"
    kinds: dict[str, Kind] = {"f": "number", "i": "whole", "u": "whole", "b": "flag"}
    return kinds.get(kind, "other")


def _missing(tensor: TensorSpec) -> dict[str, Any]:
    """The sign for a value that is not known, where there is one (see ``serving/rows.py``), and the shape of one row."""
    kind = BY_NAME[tensor.dtype].numpy.kind
    sign: dict[str, Any] = {"f": "NaN", "i": -1, "O": ""}
    return {"missing": sign.get(kind), "shape": list(tensor.shape[1:]) if tensor.shape else []}


def _tensor(tensor: TensorSpec) -> dict[str, Any]:
    return {"dtype": tensor.dtype, "shape": None if tensor.shape is None else list(tensor.shape)}
