"""A folder of files that we write and write again: whole or not at all, and never over what somebody else wrote."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from configs.errors import SluicewayError, UsageError

RECORD = ".sluiceway-written.json"


@dataclass(frozen=True)
class Content:
    """What a file holds. ``private``: nobody but its owner may read it."""

    data: bytes
    private: bool = False

    @property
    def digest(self) -> str:
        """sha256 of what it holds."""
        return hashlib.sha256(self.data).hexdigest()


def write(folder: Path, files: Mapping[str, Content], *, force: bool = False, owner: tuple[int, int] | None = None) -> list[str]:
    """Make a folder hold these files; what an earlier call wrote and this one does not, goes. The names that changed, sorted.

    Everything is written beside its place first, so that a full disk changes nothing; then each file is renamed into place, so that a
    reader sees the old one or the new one.

    Args:
        files: path relative to the folder, with ``/``, to content.
        force: also replace files that somebody else wrote or changed.
        owner: user and group of private files, where we may give files away.

    Raises:
        UsageError: a file in the way is not ours, or was changed since; nothing was written.
        SluicewayError: the folder cannot be written; nothing was changed.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; choose another with -o")
    known = _record(folder)
    present = {name: _digest(folder / name) for name in {*files, *known}}
    if not force and (strange := sorted(name for name in files if not _ours(name, present[name], files[name], known))):
        raise UsageError(f"{folder / strange[0]} was not written by this command, or changed since; --force replaces it")
    changed = sorted(name for name, content in files.items() if present[name] != content.digest)
    stale = sorted(name for name in known if name not in files and present[name] in known[name])
    staged: dict[str, Path] = {}
    try:
        for name in changed:
            _make((folder / name).parent, folder)
            staged[name] = _stage(folder / name, files[name], owner)
        # Both the old and the new are ours, should this end between two of the renames.
        _write_record(folder, {name: [files[name].digest, *known.get(name, [])] for name in files} | {name: known[name] for name in stale})
        for name in changed:
            staged[name].replace(folder / name)
        for name in stale:
            (folder / name).unlink(missing_ok=True)
        _write_record(folder, {name: [content.digest] for name, content in files.items()})
    except OSError as error:
        raise SluicewayError(f"{error.filename or folder}: cannot be written: {error.strerror}; choose another folder with -o") from error
    finally:
        for path in staged.values():
            path.unlink(missing_ok=True)
    for name in stale:
        with contextlib.suppress(OSError):  # still holds something
            (folder / name).parent.rmdir()
    return [*changed, *stale]


def _ours(name: str, there: str | None, content: Content, known: Mapping[str, list[str]]) -> bool:
    return there is None or there == content.digest or there in known.get(name, ())


def _make(path: Path, folder: Path) -> None:
    """A folder and those above it up to ``folder``; new ones can be entered by others, as containers do, whatever this one's umask is."""
    if path.is_dir():
        return
    if path != folder:
        _make(path.parent, folder)
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)


def _stage(path: Path, content: Content, owner: tuple[int, int] | None) -> Path:
    beside = path.with_name(f".{path.name}.new-{os.getpid()}")
    mode = 0o600 if content.private else 0o755 if content.data.startswith(b"#!") else 0o644
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.data)
            file.flush()
            os.fsync(file.fileno())
        if not content.private:
            beside.chmod(mode)  # containers read it as another user, whatever this one's umask is
        elif owner is not None and os.geteuid() == 0:
            os.chown(beside, *owner)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return beside


def _record(folder: Path) -> dict[str, list[str]]:
    try:
        files = json.loads((folder / RECORD).read_text(encoding="utf-8"))["files"]
        return {str(name): [str(digest) for digest in digests] for name, digests in files.items() if _inside(str(name))}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}  # a folder that we know nothing of


def _inside(name: str) -> bool:
    """Whether a name in a record that anybody may have written stays in the folder."""
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts and path.name != RECORD


def _write_record(folder: Path, files: Mapping[str, list[str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"written_by": "sluiceway", "files": dict(sorted(files.items()))}, indent=1)
    beside = folder / f"{RECORD}.new-{os.getpid()}"
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(folder / RECORD)


def _digest(path: Path) -> str | None:
    """sha256 of a file; None where there is none, and a word that is no digest for what is no file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        return "unreadable"
