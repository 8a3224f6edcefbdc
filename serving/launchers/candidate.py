"""What can be launched at all: a folder, under a name that is one."""

from __future__ import annotations

import re
from pathlib import Path

from serving.errors import LaunchError

_MODEL_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")  # it becomes a directory and a part of URLs


def check(model_dir: Path, model_name: str) -> None:
    """Raises LaunchError when the folder is not there, or the name cannot be a model's."""
    if not _MODEL_NAME.fullmatch(model_name):
        raise LaunchError(f"{model_name!r} is no model name: letters, digits, '_', '-' and '.' are allowed")
    if not model_dir.is_dir():
        raise LaunchError(f"{model_dir} is not a directory: give the folder that holds saved_model.pb")
