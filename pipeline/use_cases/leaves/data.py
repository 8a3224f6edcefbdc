"""Where the leaves are: 600 synthetic pictures, drawn once as JPEG files."""

from __future__ import annotations

from pathlib import Path

from pipeline.use_cases.shipped import made_once


def source() -> Path:
    """A folder for each kind with JPEG files of 96 to 320 pixels a side.

    Raises:
        UsageError: there is no room.
    """
    return made_once("leaves", Path(__file__).with_name("drawing.py"), _draw)


def _draw(folder: Path) -> None:
    # Pictures need libraries; where the drawn ones are is known without them.
    from pipeline.use_cases.leaves.drawing import write

    write(folder)
