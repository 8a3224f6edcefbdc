"""The images that were left out because they cannot be decoded: a report beside the examples, and what it comes to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

# Below the examples' folder: one line of JSON for each image.
REPORT_FILE = "corrupt_images.jsonl"
_TOLD = 5


def corrupt_line(path: str, why: str) -> str:
    """An image's line in the report."""
    return json.dumps({"image": path, "why": why})


def corrupt_figures(lines: Iterable[str], images: int, limit: float) -> dict[str, Any]:
    """What is kept with the examples: how many images there were and how many were left out, the first of them, the largest share.

    Args:
        lines: of the report, sorted.
        images: all that were looked at.
        limit: the largest share of them that may be left out.
    """
    left_out = [json.loads(line) for line in lines]
    first = [f"{found['image']} ({found['why']})" for found in left_out[:_TOLD]]
    return {"images": images, "corrupt": len(left_out), "limit": limit, "first": first}


def told_images(figures: Mapping[str, Any]) -> str:
    """In a few words."""
    left_out = f", {figures['corrupt']:,} corrupt left out" if figures["corrupt"] else ""
    return f"{figures['images']:,} image{'s' if figures['images'] != 1 else ''}{left_out}"
