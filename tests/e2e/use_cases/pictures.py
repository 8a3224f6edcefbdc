"""Pictures as requests: as the bytes of a file, and as JSON spells them."""

from __future__ import annotations

import base64
import io
import random
import shutil
from pathlib import Path
from typing import Any

from PIL import Image


def file_of(picture: Image.Image, form: str = "PNG") -> bytes:
    """The bytes of a file of that format."""
    content = io.BytesIO()
    picture.save(content, form)
    return content.getvalue()


def instances(*files: bytes) -> dict[str, Any]:
    """The body of a predict request, as a person with curl writes it."""
    return {"signature_name": "predict", "instances": [{"image": {"b64": base64.b64encode(file).decode()}} for file in files]}


def shuffled(source: Path, out: Path, most: int) -> Path:
    """A copy of a folder for each class with so many images of each, in folders that chance chose."""
    paths = [path for folder in sorted(source.iterdir()) for path in sorted(folder.iterdir())[:most]]
    labels = [path.parent.name for path in paths]
    random.Random(5).shuffle(labels)
    for path, label in zip(paths, labels, strict=True):
        (out / label).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, out / label / f"{path.parent.name}-{path.name}")
    return out
