"""A version store in a folder: what a TF Serving on the same disk polls."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from serving.errors import ModelLoadError, NotPublished, StoreError, StoreFull, VersionDamaged
from serving.store import history
from serving.store.base import Version
from serving.store.history import LEDGER, Event
from serving.store.manifest import MANIFEST, Identity, Manifest, content_digest, differences, digest_files, read_manifest
from serving.store.names import checked_model, is_model, next_version, version_number
from serving.verdict import Verdict

# Not an integer, so no server takes it for a version.
_STAGING = ".staging-"
_LOCK = ".lock"


class LocalStore:
    """``<root>/<model>/<version>/`` folders, ``<root>/<model>/history.jsonl`` beside them.

    Order of a publish: copy to a staging folder, digest, manifest, fsync every file and folder, rename to the number, fsync the
    parent, ledger. A crash before the rename leaves a staging folder, which the next publish removes; a crash after it leaves a
    whole version whose ledger line the next writer adds from the manifest.
    """

    def __init__(self, root: Path, *, lock_seconds: float = 60.0) -> None:
        """``lock_seconds``: how long to wait for another publisher of the same model."""
        self._root = root
        self._lock_seconds = lock_seconds

    def publish(
        self, model: str, model_dir: Path, identity: Identity, *, digest: str | None = None, over: int | Literal["any"] | None = "any"
    ) -> Version:
        if not (model_dir / "saved_model.pb").is_file():
            raise ModelLoadError(f"{model_dir}: no saved_model.pb; not a SavedModel")
        home = self._home(model)
        with self._locked(home):
            self._recover(model, home)
            if over != "any" and over != (live.number if (live := self.live(model)) else None):
                raise StoreError(f"another version of {model} went live meanwhile; nothing was published, run again")
            # A plain file named like a version takes its number too: a rename onto it would fail.
            present = [number for path in home.iterdir() if (number := version_number(path.name)) is not None]
            number = next_version(present, history.highest_version(history.read(home / LEDGER)))
            staging = home / f"{_STAGING}{number}-{uuid.uuid4().hex[:8]}"
            try:
                manifest = self._stage(model, number, model_dir, staging, identity)
                if digest not in (None, manifest.digest):
                    raise StoreError(f"{model_dir} is not the model that was judged: its files changed; nothing was published")
                _sync_tree(staging)
                final = home / str(number)
                staging.rename(final)
            except OSError as error:
                raise _store_error(error, f"publish {model} version {number}") from error
            finally:
                shutil.rmtree(staging, ignore_errors=True)
            # The version stands and is live: a ledger without room for its line does not unmake it. The next writer adds the line.
            with contextlib.suppress(OSError, StoreError):
                _sync(home)
                history.append(home / LEDGER, _published(manifest))
        return Version(model, number, final, manifest)

    def versions(self, model: str) -> list[Version]:
        return [found for found in self._read(model) if isinstance(found, Version)]

    def damaged(self, model: str) -> dict[int, str]:
        return dict(found for found in self._read(model) if not isinstance(found, Version))

    def live(self, model: str) -> Version | None:
        found = self._read(model)
        newest = found[-1] if found else None
        if isinstance(newest, tuple):
            raise VersionDamaged(
                f"{model} version {newest[0]} may be live and cannot be read: {newest[1]}; mend it or move its folder away"
            )
        return newest

    def refuse(self, model: str, verdict: Verdict, run_id: str) -> Event:
        home = self._home(model)
        event = Event(at=_now(), kind="refuse", model=model, run_id=run_id, details=verdict.as_json())
        with self._locked(home):
            self._recover(model, home)
            history.append(home / LEDGER, event)
        return event

    def history(self, model: str) -> list[Event]:
        home = self._root / checked_model(model)
        events = history.read(home / LEDGER)
        # A crash between rename and ledger: the version stands, so it is told, also before the next writer adds the line.
        return events + self._untold(model, events)

    def verify(self, model: str, number: int) -> None:
        path = self._root / checked_model(model) / str(number)
        if not path.is_dir():
            raise NotPublished(f"{model} has no version {number}; see: sluiceway versions {model}")
        manifest = read_manifest(path)
        found = digest_files(path)
        wrong = differences(manifest.files, found)
        if manifest.version != number:
            wrong.append(f"its manifest says it is version {manifest.version}")
        if wrong or content_digest(found) != manifest.digest:
            raise VersionDamaged(f"{model} version {number}: {'; '.join(wrong) or 'the digest does not match'}")

    def models(self) -> Sequence[str]:
        if not self._root.is_dir():
            return []
        return sorted(path.name for path in self._root.iterdir() if path.is_dir() and is_model(path.name))

    def describe(self) -> dict[str, Any]:
        return {"kind": "local", "path": str(self._root)}

    def _read(self, model: str) -> list[Version | tuple[int, str]]:
        """Every numbered folder, oldest first: the version, or (number, why it is none)."""
        found: list[Version | tuple[int, str]] = []
        for number, path in self._folders(self._root / checked_model(model)):
            try:
                found.append(Version(model, number, path, read_manifest(path)))
            except VersionDamaged as error:
                found.append((number, str(error)))
        return found

    def _home(self, model: str) -> Path:
        home = self._root / checked_model(model)
        try:
            if not home.is_dir():
                home.mkdir(parents=True, exist_ok=True)
                _sync(home.parent)
        except OSError as error:
            raise _store_error(error, f"make {home}") from error
        return home

    @contextlib.contextmanager
    def _locked(self, home: Path) -> Iterator[None]:
        # Imported here: half of what `versions` would take to start. The lock is the kernel's (flock): a killed holder frees it.
        from filelock import FileLock, Timeout

        try:
            with FileLock(home / _LOCK, timeout=self._lock_seconds):
                yield
        except Timeout as error:
            raise StoreError(f"{home}: another process has held the store for {self._lock_seconds:g} s; try again") from error
        except OSError as error:
            raise _store_error(error, f"write {home}") from error

    def _stage(self, model: str, number: int, source: Path, staging: Path, identity: Identity) -> Manifest:
        shutil.copytree(source, staging, symlinks=False)
        (staging / MANIFEST).unlink(missing_ok=True)
        files = digest_files(staging)
        manifest = Manifest(model, number, _now(), content_digest(files), files, identity)
        target = staging / MANIFEST
        target.parent.mkdir(exist_ok=True)
        target.write_text(manifest.to_json(), encoding="utf-8")
        return manifest

    def _recover(self, model: str, home: Path) -> None:
        """Clear what a killed publisher left. The caller holds the lock, so no staging folder here has an owner."""
        for left in home.glob(f"{_STAGING}*"):
            shutil.rmtree(left, ignore_errors=True)
        for event in self._untold(model, history.read(home / LEDGER)):
            history.append(home / LEDGER, event)

    def _untold(self, model: str, events: list[Event]) -> list[Event]:
        told = {event.version for event in events if event.kind in {"publish", "rollback"}}
        # A folder that somebody copied to another number was not published: its manifest tells the number it was published as.
        own = [version for version in self.versions(model) if version.manifest.version == version.number]
        return [_published(version.manifest) for version in own if version.number not in told]

    def _folders(self, home: Path) -> list[tuple[int, Path]]:
        try:
            children = list(home.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _store_error(error, f"read {home}") from error
        numbered = [(version_number(path.name), path) for path in children if path.is_dir()]
        return sorted((number, path) for number, path in numbered if number is not None)


def _published(manifest: Manifest) -> Event:
    return Event(
        at=manifest.published_at,
        kind="publish",
        model=manifest.model,
        run_id=manifest.identity.run_id,
        version=manifest.version,
        digest=manifest.digest,
        details=asdict(manifest.identity),
    )


def _store_error(error: OSError, doing: str) -> StoreError:
    # shutil.copytree gathers the errors of single files as texts, without their numbers.
    full = (errno.ENOSPC, errno.EDQUOT)
    if error.errno in full or any(os.strerror(number) in str(error) for number in full):
        return StoreFull(f"no space left on the disk: could not {doing}; what was live still is")
    return StoreError(f"could not {doing}: {error.strerror or error}: {error.filename or ''}".rstrip(": "))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(root: Path) -> None:
    for path in [root, *root.rglob("*")]:
        _sync(path)
