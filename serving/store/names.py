"""What may be the name of a model or of a version: pure rules, no file system."""

from __future__ import annotations

import re

from configs.errors import UsageError

# One path segment that cannot climb, hide or look like a version; also fit for a Kubernetes label and a REST path.
_MODEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,62}")
_VERSION = re.compile(r"[1-9][0-9]{0,18}")


def checked_model(name: str) -> str:
    """The name itself, if a model may have it.

    Raises:
        UsageError: it may not.
    """
    if not _MODEL.fullmatch(name):
        raise UsageError(f"model name {name!r}: use letters, digits, '_', '-' and '.', starting with a letter, at most 63 characters")
    return name


def is_model(name: str) -> bool:
    """Whether a model may have this name: ``lost+found`` of a volume may not."""
    return _MODEL.fullmatch(name) is not None


def version_number(folder: str) -> int | None:
    """The version a folder name stands for, or None: staging folders, the ledger and whatever else lies there."""
    return int(folder) if _VERSION.fullmatch(folder) else None


def next_version(present: list[int], ever_used: int) -> int:
    """One more than any number that is or was a version: a retired number is never given to other content."""
    return max([ever_used, *present, 0]) + 1
