"""The manifest of a version: who it is, where it came from, and the digest of every file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from serving.errors import StoreError, VersionDamaged

MANIFEST = "assets.extra/manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Identity:
    """Where a version came from.

    ``fingerprint`` is the digest of all that decided the model (data, configuration, code): a run with the same one has nothing new.
    ``champion`` is the version it was judged against, None for a first model.
    """

    run_id: str
    use_case: str
    fingerprint: str | None = None
    champion: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """The identity of a published version and the sha256 of each of its files (relative POSIX path to hex digest)."""

    model: str
    version: int
    published_at: str
    digest: str
    files: Mapping[str, str]
    identity: Identity
    format: int = FORMAT

    def to_json(self) -> str:
        """The file's text; the same manifest always gives the same bytes."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read a manifest.

        Raises:
            VersionDamaged: it is not one, or from a format newer than this code knows.
        """
        try:
            content: dict[str, Any] = json.loads(text)
            if content["format"] > FORMAT:
                raise VersionDamaged(f"manifest format {content['format']} is newer than {FORMAT}; upgrade sluiceway to read it")
            return cls(**{**content, "identity": Identity(**content["identity"])})
        except (ValueError, KeyError, TypeError) as error:
            raise VersionDamaged(f"not a manifest: {error}") from error


def read_manifest(version_dir: Path) -> Manifest:
    """The manifest of a version folder.

    Raises:
        VersionDamaged: there is none, or it is none.
        StoreError: it could not be read.
    """
    path = version_dir / MANIFEST
    try:
        return Manifest.from_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise VersionDamaged(f"{path} is not there") from error
    except UnicodeDecodeError as error:
        raise VersionDamaged(f"{path}: {error}") from error
    except OSError as error:
        # That it cannot be read says nothing of the version.
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from error


def digest_files(root: Path) -> dict[str, str]:
    """The sha256 of every file below a folder, by relative POSIX path, in sorted order; the manifest itself is left out."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    names = {path.relative_to(root).as_posix(): path for path in files}
    return {name: _sha256(path) for name, path in sorted(names.items()) if name != MANIFEST}


def content_digest(files: Mapping[str, str]) -> str:
    """One digest for a whole set of files: the same content gives the same digest, whatever the order or place."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """How a version's files differ from its manifest, one line a file."""
    lines = [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    lines += [f"{name} does not belong there" for name in sorted(found.keys() - expected.keys())]
    lines += [f"{name} was changed" for name in sorted(expected.keys() & found.keys()) if expected[name] != found[name]]
    return lines


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
