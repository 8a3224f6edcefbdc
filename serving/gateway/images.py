"""Uploaded images: known for what they are, and not too large, before anything decodes them; asked by the signature that takes one."""

from __future__ import annotations

import io
import math
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from configs.gateway import Limits
from serving.gateway.checks import Problem, Unfit
from serving.gateway.forms import IMAGES, image_input, kind_of
from serving.protocol.json_arrays import Array, decode_base64, is_base64
from serving.protocol.signature import CLASSIFY_METHOD, PREDICT_METHOD, SignatureSpec

_PNG = b"\x89PNG\r\n\x1a\n"
_HEADS = (b"\xff\xd8\xff", _PNG)
# The first chunk: length, type, width, height (PNG specification, 11.2.2).
_PNG_SIZE = struct.Struct(">I4sII")
_MOST_CLASSES = 10
_MOST_TOLD = 10
_OPENING = threading.Lock()


@dataclass(frozen=True)
class Upload:
    """One file of a form."""

    name: str
    content: bytes


def check_images(uploads: Sequence[Upload], limits: Limits) -> None:
    """Look at the beginning of each file only.

    Raises:
        Unfit: one is no JPEG or PNG, or too large; names its field.
    """
    if not uploads:
        raise Unfit([Problem("file", "missing; send at least one JPEG or PNG as multipart/form-data")])
    _tell([_fault(upload.content, limits) for upload in uploads])


def check_whole(uploads: Sequence[Upload]) -> None:
    """Decode each file, which takes a while: for what `check_images` took and the model did not.

    Raises:
        Unfit: one is damaged; names its field.
    """
    _tell([None if _is_whole(upload.content) else "is damaged or cut off" for upload in uploads])


def check_inputs(document: Mapping[str, Any], inputs: Mapping[str, Array], spec: SignatureSpec, limits: Limits) -> None:
    """Look at the beginning of each JPEG and PNG of a predict request, in the inputs that take images. Other bytes are the model's affair.

    Raises:
        Unfit: one is too large.
    """
    problems = []
    for name in (name for name, tensor in spec.inputs.items() if kind_of(name, tensor) == "image"):
        images = inputs[name].ravel().tolist()
        for number, content in enumerate(images):
            if (told := _excess(content, limits)) is not None:
                problems.append(Problem(_place(document, name, number * (inputs[name].shape or (1,))[0] // len(images)), told))
    if problems:
        raise Unfit(problems[:_MOST_TOLD])


def check_features(document: Mapping[str, Any], limits: Limits) -> None:
    """The same of a classify or regress request, for features whose name says that they are images. Raises Unfit."""
    rows = {"context": document.get("context"), **{f"examples[{number}]": row for number, row in enumerate(document["examples"])}}
    problems = [
        Problem(f"{place}.{name}", told)
        for place, row in rows.items()
        for name, value in (row or {}).items()
        if name.lower() in IMAGES
        for part in (value if isinstance(value, list) else [value])
        if (content := _bytes_of(part)) is not None and (told := _excess(content, limits)) is not None
    ]
    if problems:
        raise Unfit(problems[:_MOST_TOLD])


def _bytes_of(part: Any) -> bytes | None:
    """What a feature's value is sent as, if it is bytes."""
    if is_base64(part):
        return decode_base64(part)
    return part.encode("utf-8", "surrogateescape") if isinstance(part, str) else None


def _place(document: Mapping[str, Any], name: str, number: int) -> str:
    if "inputs" in document:
        given = document["inputs"]
        return f"inputs.{name}[{number}]" if isinstance(given, dict) and not is_base64(given) else f"inputs[{number}]"
    given = document["instances"][number]
    return f"instances[{number}].{name}" if isinstance(given, dict) and not is_base64(given) else f"instances[{number}]"


def _tell(faults: Sequence[str | None]) -> None:
    problems = [Problem(f"file[{number}]" if len(faults) > 1 else "file", told) for number, told in enumerate(faults) if told is not None]
    if problems:
        raise Unfit(problems)


def _fault(content: bytes, limits: Limits) -> str | None:
    if not content:
        return "is empty; send the bytes of a JPEG or PNG"
    if len(content) > limits.image_mib * 2**20:
        return f"is larger than {limits.image_mib:g} MiB"
    size = _size(content)
    return "is neither JPEG nor PNG" if size is None else _too_many(size, limits)


def _excess(content: bytes, limits: Limits) -> str | None:
    """What is too large about a JPEG or PNG."""
    if not content.startswith(_HEADS):
        return None
    if len(content) > limits.image_mib * 2**20:
        return f"is larger than {limits.image_mib:g} MiB"
    size = _size(content)
    return None if size is None else _too_many(size, limits)


def _too_many(size: tuple[int, int], limits: Limits) -> str | None:
    width, height = size
    return f"has {width} x {height} pixels, more than {limits.image_pixels:,}" if width * height > limits.image_pixels else None


def _size(content: bytes) -> tuple[int, int] | None:
    """Width and height from the head alone: nothing is decoded. None: no JPEG or PNG."""
    if content.startswith(_PNG):
        # Not by Pillow, which inflates what texts stand before the image: thousands of them fit into a small body.
        size = _PNG_SIZE.unpack_from(content, len(_PNG)) if len(content) >= len(_PNG) + _PNG_SIZE.size else (0, b"", 0, 0)
        return size[2:] if size[:2] == (13, b"IHDR") and min(size[2:]) > 0 else None
    try:
        with _opened(content, ("JPEG",)) as image:
            return image.size
    except Exception:  # noqa: BLE001 - whatever a decoder raises on bytes of strangers, they are no image
        return None


def _is_whole(content: bytes) -> bool:
    try:
        with _opened(content, ("JPEG", "PNG")) as image:
            image.load()
    except Exception:  # noqa: BLE001 - as above
        return False
    return True


def _opened(content: bytes, kinds: tuple[str, ...]) -> Image.Image:
    # Ours is the limit that counts, and it may be larger than Pillow's, which is one for all threads.
    with _OPENING:
        bound = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            return Image.open(io.BytesIO(content), formats=kinds)
        finally:
            Image.MAX_IMAGE_PIXELS = bound


@dataclass(frozen=True)
class Asking:
    """How a model is asked about images. ``verb``: classify with ``column`` as the feature's name, or predict with it as the input's."""

    verb: str
    signature: SignatureSpec
    column: str


def how_to_ask(signatures: Mapping[str, SignatureSpec], asked: str | None) -> Asking:
    """Classes by name where the model has them, else the outputs of the signature that takes an image.

    Args:
        asked: the signature that the caller names.

    Raises:
        Unfit: no signature takes an image.
    """
    takers = {
        name: column
        for name, spec in sorted(signatures.items())
        if spec.method_name == PREDICT_METHOD and (column := image_input(spec)) is not None
    }
    name = "predict" if "predict" in takers else next(iter(takers), "")
    classifiers = [spec for spec in signatures.values() if spec.method_name == CLASSIFY_METHOD] if takers else []
    if asked is not None and asked not in {spec.name for spec in classifiers}:
        if asked in takers:
            return Asking("predict", signatures[asked], takers[asked])
        listed = ", ".join([*takers, *(spec.name for spec in classifiers)]) or "none"
        raise Unfit([Problem("signature", f"{asked!r} takes no image; those that do: {listed}")])
    if not takers:
        raise Unfit([Problem("model", "takes no image; ask it with POST /v1/models/...:predict")])
    if asked is not None:
        classifiers = [spec for spec in classifiers if spec.name == asked]
    if len(classifiers) == 1:
        return Asking("classify", classifiers[0], takers[name])
    return Asking("predict", signatures[name], takers[name])


def column_of(uploads: Sequence[Upload]) -> Array:
    """The files as one tensor of strings, [images]."""
    column = np.empty(len(uploads), dtype=object)
    column[:] = [upload.content for upload in uploads]
    return column


def best_classes(row: Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    """The likeliest classes, the first ten."""
    ranked = sorted(row, key=lambda item: math.inf if math.isnan(item[1]) else -item[1])[:_MOST_CLASSES]
    return [{"label": label, "score": float(f"{score:.6g}")} for label, score in ranked]
