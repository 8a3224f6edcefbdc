"""Rows that a use case makes or unpacks itself: kept in the user's cache, made once, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from configs.errors import UsageError


def made_once(name: str, recipe: Path, make: Callable[[Path], None]) -> Path:
    """A folder with what `make` writes; the same file `recipe` (the code that makes it) always means the same folder.

    Raises:
        UsageError: there is no room for it.
    """
    digest = hashlib.sha256(recipe.read_bytes()).hexdigest()[:16]
    folder = _cache() / "data" / f"{name}-{digest}"
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            make(partial)
            partial.chmod(0o755)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        if folder.is_dir():  # another process was faster
            return folder
        raise UsageError(f"the rows of {name} cannot be kept in {folder.parent}: {error.strerror}; set XDG_CACHE_HOME") from error
    return folder


@contextlib.contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A folder to write into that becomes ``out`` at the end: what is there is whole, and what failed can be tried again.

    Raises:
        UsageError: ``out`` is there already or cannot be written.
    """
    taken = f"{out}: is there already; name a new folder"
    if out.exists() or out.is_symlink():
        raise UsageError(taken)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            yield partial
            partial.chmod(0o755)
            partial.rename(out)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        if out.exists():  # another one was faster
            raise UsageError(taken) from error
        raise UsageError(f"{out}: cannot be written: {error.strerror or error}") from error


def _cache() -> Path:
    """The user's cache folder; in a container whose user has no home, one below the temporary folder."""
    given = os.environ.get("XDG_CACHE_HOME")
    if given:
        return Path(given) / "sluiceway"
    home = Path(os.path.expanduser("~"))  # noqa: PTH111  Path.expanduser raises where there is no home
    if home.is_dir() and os.access(home, os.W_OK):
        return home / ".cache" / "sluiceway"
    return Path(tempfile.gettempdir()) / f"sluiceway-{os.getuid()}"
