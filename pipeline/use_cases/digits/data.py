"""Where the digits are: 1,797 real handwritten ones that ship inside the scikit-learn package, unpacked once as image files."""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from configs.errors import UsageError
from pipeline.use_cases.shipped import made_once

Array = np.ndarray[Any, Any]

# Origin: the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak, 1998; UCI; CC BY 4.0), 8x8 pixels of 0..16.
_INSIDE_SKLEARN = Path("datasets/data/digits.csv.gz")
_SIDE, _INK, _FULL = 28, 20, 16
_PAPER, _PEN = 80, 210


def source() -> Path:
    """A folder for each digit with PNG files, white on black.

    Raises:
        UsageError: scikit-learn is not installed, or there is no room.
    """
    return made_once("digits", Path(__file__), write)


def write(folder: Path) -> None:
    """Unpack them all."""
    from PIL import Image

    for number, (label, pixels) in enumerate(_rows()):
        place = folder / str(label)
        place.mkdir(exist_ok=True)
        Image.fromarray(enlarged(pixels)).save(place / f"{number:04d}.png")


def enlarged(pixels: Array) -> Array:
    """An 8x8 digit of 0..16 as MNIST shows them: 20x20 in the middle of 28x28, clear strokes, uint8, white on black."""
    from PIL import Image

    small = Image.fromarray(np.round(pixels * (255 / _FULL)).astype(np.uint8))
    soft = np.asarray(small.resize((_INK, _INK), Image.Resampling.BICUBIC), float)
    # Enlarging makes edges soft; a pen's are not.
    clear = np.clip((soft - _PAPER) / (_PEN - _PAPER), 0, 1) * 255
    return np.pad(np.round(clear).astype(np.uint8), (_SIDE - _INK) // 2)


def _rows() -> Iterator[tuple[int, Array]]:
    """Each digit's number with its pixels [8, 8]; the file is found without importing scikit-learn, which takes seconds."""
    spec = importlib.util.find_spec("sklearn")
    folders = list(spec.submodule_search_locations or []) if spec else []
    path = next((found for folder in folders if (found := Path(folder) / _INSIDE_SKLEARN).is_file()), None)
    if path is None:
        raise UsageError("the digits ship inside scikit-learn, which is not installed; pip install 'sluiceway[pipeline]' or give --data")
    with gzip.open(path, "rt", encoding="ascii") as file:
        for line in file:
            values = [int(float(value)) for value in line.split(",")]
            yield values[-1], np.array(values[:-1]).reshape(8, 8)
