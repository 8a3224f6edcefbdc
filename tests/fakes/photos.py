"""Small pictures in a folder for each class, good and broken ones, for tests of whatever reads images."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image


def picture(shade: int, kind: str = "JPEG", size: tuple[int, int] = (16, 12)) -> bytes:
    """One picture's bytes; another shade is another picture."""
    file = io.BytesIO()
    Image.new("RGB", size, (shade % 256, shade * 7 % 256, shade * 31 % 256)).save(file, kind)
    return file.getvalue()


def write_photos(root: Path, counts: dict[str, int]) -> Path:
    """So many JPEGs of each class, all different."""
    shade = 0
    for label, count in counts.items():
        (root / label).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            shade += 1
            (root / label / f"{number:03d}.jpg").write_bytes(picture(shade))
    return root
