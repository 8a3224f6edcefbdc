"""Where a use case's configuration lies: with ours, or in a folder of the user's own that is given by its path."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

from configs.errors import UsageError
from configs.paths import expanded

# A Python package, a name in the store and in URLs at once.
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def is_path(use_case: str) -> bool:
    """Is this a path, such as ``./my_model``, and not a name?"""
    return "/" in use_case or use_case in (".", "..") or use_case.startswith("~")


def checked_name(name: str) -> str:
    """A name that a use case may have. Raises UsageError."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a use case: lower-case letters, digits and _, beginning with a letter")
    if keyword.iskeyword(name) or name in sys.stdlib_module_names:
        raise UsageError(f"{name!r} is no name for a use case: Python means something else by it; choose another")
    return name


def own_folder(use_case: str) -> Path:
    """The folder of a use case that is given by its path.

    Raises:
        UsageError: there is none, or its name could not be a use case's.
    """
    folder = expanded(use_case).resolve()
    if not folder.is_dir():
        raise UsageError(f"{use_case}: there is no such folder; make one: sluiceway init {folder.name} --like taxi")
    checked_name(folder.name)
    for needed in ("__init__.py", f"{folder.name}.yaml"):
        if not (folder / needed).is_file():
            raise UsageError(f"{use_case}: {folder / needed} is missing; a use case's folder has both its code and its configuration")
    return folder
