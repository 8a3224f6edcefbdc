"""What a server tells about a model's signatures: the metadata JSON, and signatures read from messages or from that JSON.

Reads messages by attribute only, so a REST client needs no protobuf.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from serving.protocol.dtypes import BY_NUMBER, ENUM_NAMES
from serving.protocol.signature import INIT_OP_SIGNATURE, SignatureSpec, TensorSpec

if TYPE_CHECKING:
    from serving.protocol import wire_pb2 as wire

_NAME_OF_ENUM = {enum: BY_NUMBER[number].name for number, enum in ENUM_NAMES.items() if number}


def from_messages(signatures: Mapping[str, wire.SignatureDef]) -> dict[str, SignatureSpec]:
    """The signatures that a person may call, by name."""
    return {
        name: SignatureSpec(
            name=name,
            method_name=message.method_name,
            inputs={alias: _tensor_spec(info) for alias, info in sorted(message.inputs.items())},
            outputs={alias: _tensor_spec(info) for alias, info in sorted(message.outputs.items())},
        )
        for name, message in sorted(signatures.items())
        if name != INIT_OP_SIGNATURE
    }


def _tensor_spec(info: wire.TensorInfo) -> TensorSpec:
    kind = BY_NUMBER.get(info.dtype)
    shape = None
    if not info.tensor_shape.unknown_rank:
        shape = tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim)
    return TensorSpec(dtype=kind.name if kind else f"type{int(info.dtype)}", shape=shape, tensor_name=info.name)


def metadata_json(model: str, version: int, signatures: Mapping[str, wire.SignatureDef]) -> str:
    """The body of a REST metadata answer: protobuf's JSON with the proto's names, defaults printed, int64 as strings."""
    definitions = {name: _signature_json(message) for name, message in sorted(signatures.items())}
    document = {
        "model_spec": {"name": model, "signature_name": "", "version": str(version)},
        "metadata": {"signature_def": {"signature_def": definitions}},
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def _signature_json(message: wire.SignatureDef) -> dict[str, Any]:
    return {
        "inputs": {alias: _info_json(info) for alias, info in sorted(message.inputs.items())},
        "outputs": {alias: _info_json(info) for alias, info in sorted(message.outputs.items())},
        "method_name": message.method_name,
        "defaults": {},
    }


def _info_json(info: wire.TensorInfo) -> dict[str, Any]:
    shape = info.tensor_shape
    result: dict[str, Any] = {
        "dtype": ENUM_NAMES.get(info.dtype, int(info.dtype)),
        "tensor_shape": {
            "dim": [{"size": str(dim.size), "name": dim.name} for dim in shape.dim],
            "unknown_rank": shape.unknown_rank,
        },
    }
    if info.WhichOneof("encoding") == "coo_sparse":
        sparse = info.coo_sparse
        result["coo_sparse"] = {
            "values_tensor_name": sparse.values_tensor_name,
            "indices_tensor_name": sparse.indices_tensor_name,
            "dense_shape_tensor_name": sparse.dense_shape_tensor_name,
        }
    else:
        result["name"] = info.name
    return result


def read_metadata_json(document: Any) -> tuple[int, dict[str, SignatureSpec]]:
    """The version and the signatures behind `metadata_json`. Raises ValueError when the document is something else."""
    try:
        version = int(document["model_spec"]["version"])
        definitions = document["metadata"]["signature_def"]["signature_def"]
        return version, {
            name: SignatureSpec(
                name=name,
                method_name=definition["method_name"],
                inputs={alias: _spec_from_json(info) for alias, info in sorted(definition["inputs"].items())},
                outputs={alias: _spec_from_json(info) for alias, info in sorted(definition["outputs"].items())},
            )
            for name, definition in sorted(definitions.items())
            if name != INIT_OP_SIGNATURE
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not model metadata: {error!r} in {str(document)[:200]}") from error


def _spec_from_json(info: Mapping[str, Any]) -> TensorSpec:
    shape_json = info["tensor_shape"]
    sizes = [int(dim["size"]) for dim in shape_json.get("dim", [])]
    shape = None if shape_json.get("unknown_rank") else tuple(None if size < 0 else size for size in sizes)
    dtype = info["dtype"]
    return TensorSpec(dtype=_NAME_OF_ENUM.get(dtype, str(dtype)), shape=shape, tensor_name=info.get("name", ""))
