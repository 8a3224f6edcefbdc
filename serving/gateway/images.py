"""Uploaded images: known for what they are, and not too large, before anything decodes them; asked by the signature that takes one."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from configs.gateway import Limits
from serving.gateway.checks import Problem, Unfit
from serving.gateway.forms import image_input
from serving.protocol.json_arrays import Array
from serving.protocol.signature import CLASSIFY_METHOD, PREDICT_METHOD, SignatureSpec

_KINDS = ("JPEG", "PNG")
_MOST_CLASSES = 10


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
    problems = [
        Problem(f"file[{number}]" if len(uploads) > 1 else "file", told)
        for number, upload in enumerate(uploads)
        if (told := _fault(upload.content, limits)) is not None
    ]
    if problems:
        raise Unfit(problems)


def _fault(content: bytes, limits: Limits) -> str | None:
    if not content:
        return "is empty; send the bytes of a JPEG or PNG"
    if len(content) > limits.image_mib * 2**20:
        return f"is larger than {limits.image_mib:g} MiB"
    try:
        width, height = _size(content)
    except Exception:  # noqa: BLE001 - whatever a decoder raises on bytes of strangers, they are no image
        return "is neither JPEG nor PNG"
    if width * height > limits.image_pixels:
        return f"has {width} x {height} pixels, more than {limits.image_pixels:,}"
    return None


def _size(content: bytes) -> tuple[int, int]:
    """Width and height from the head alone: nothing is decoded."""
    bound = Image.MAX_IMAGE_PIXELS
    # Ours is the limit that counts, and it may be larger than Pillow's.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(content), formats=_KINDS) as image:
            return image.size
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
    return [{"label": label, "score": round(score, 6)} for label, score in ranked]
