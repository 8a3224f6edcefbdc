"""Artifacts at plain locations: folders or bucket URIs, each with what TFX keeps of it in its metadata."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from configs.errors import SluicewayError, UsageError
from configs.paths import expanded

# TFX keeps an artifact's properties in its metadata store; at a plain location they lie beside the content, where there are any.
PROPERTIES_FILE = "artifact.json"
# A node may give out nothing (no champion yet); a bucket has no empty folders, so nothing is a file too.
NOTHING_FILE = "nothing.txt"


def is_uri(location: str) -> bool:
    """A place that is reached through its scheme (``s3://``, ``gs://``), not a path."""
    return "://" in location


def fetched(location: str, folder: Path, *, copy: bool = False) -> Path:
    """A location as a local folder: the very one, or a copy of it at ``folder``.

    Args:
        copy: make a copy also where the location is a local path.

    Raises:
        UsageError: there is nothing at the location, or it cannot be read.
    """
    if not is_uri(location):
        path = expanded(location).absolute()
        if not path.is_dir():
            raise UsageError(f"{location}: there is no such folder")
        if not any(path.iterdir()):
            raise UsageError(f"{location}: the folder is empty; give the one that the step before wrote")
        if not copy:
            return path
        shutil.copytree(path, folder, dirs_exist_ok=True)
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    _copy(location, folder.as_uri(), "read")
    if not any(folder.iterdir()):
        raise UsageError(f"{location}: there is nothing")
    return folder


def delivered(folder: Path, location: str) -> None:
    """Bring what was written to a local folder to its location; nothing to do where it is that folder.

    Raises:
        UsageError: the location cannot be written.
    """
    if is_uri(location):
        _copy(folder.absolute().as_uri(), location, "written")
    elif folder.absolute() != expanded(location).absolute():
        shutil.copytree(folder, expanded(location), dirs_exist_ok=True)


def local_folder(location: str, folder: Path, *, copy: bool = False) -> Path:
    """Where to write what belongs at a location: there, or at ``folder`` until it is delivered."""
    return folder if copy or is_uri(location) else expanded(location).absolute()


def check_empty(location: str) -> None:
    """Make an output's folder, before work is done for it, or find that it is not free.

    What lies there would be taken for this step's: rows for its rows, the word that there is no champion for its.

    Raises:
        UsageError: something is there, or the location cannot be looked at.
    """
    if not is_uri(location):
        path = expanded(location)
        try:
            path.mkdir(parents=True, exist_ok=True)
            taken = any(path.iterdir())
        except FileExistsError:
            taken = True
        except OSError as error:
            raise UsageError(f"{location}: cannot be written: {error.strerror}; give another place") from error
    else:
        from pyarrow import ArrowException, fs

        try:
            system, place = fs.FileSystem.from_uri(location)
            taken = bool(system.get_file_info(fs.FileSelector(place, allow_not_found=True)))
        except (ArrowException, OSError, ValueError) as error:
            raise _unreachable(location, "written", error) from error
    if taken:
        raise UsageError(f"{location}: is not empty; give another place, or remove what is there")


def removed(uri: str) -> None:
    """Delete a place in a bucket; one that cannot be deleted is left, for it harms nobody."""
    from pyarrow import ArrowException, fs

    with contextlib.suppress(ArrowException, OSError, ValueError):
        system, path = fs.FileSystem.from_uri(uri)
        system.delete_dir(path)


def _copy(source: str, target: str, done: str) -> None:
    """Copy a tree between file systems of any kind."""
    from pyarrow import ArrowException, fs

    location = source if done == "read" else target
    try:
        (from_fs, from_path), (to_fs, to_path) = fs.FileSystem.from_uri(source), fs.FileSystem.from_uri(target)
        if isinstance(to_fs, fs.LocalFileSystem):
            Path(to_path).mkdir(parents=True, exist_ok=True)
        fs.copy_files(from_path, to_path, source_filesystem=from_fs, destination_filesystem=to_fs)
    except FileNotFoundError as error:
        raise UsageError(f"{location}: there is nothing") from error
    except (ArrowException, OSError, ValueError) as error:
        raise _unreachable(location, done, error) from error


def _unreachable(location: str, done: str, error: Exception) -> UsageError:
    text = " ".join(str(error).split())[:300]
    return UsageError(f"{location}: cannot be {done}: {text}; check the address and the credentials in the environment")


def load_artifact(type_: Any, folder: Path) -> Any | None:
    """The artifact at a folder, as an executor wants it; None where the node that made it gave out nothing.

    Raises:
        SluicewayError: its properties cannot be read.
    """
    from google.protobuf import json_format
    from tfx.types import artifact_utils

    if (folder / NOTHING_FILE).is_file():
        return None
    artifact = artifact_utils.deserialize_artifact(type_)
    artifact.uri = str(folder)
    kept = folder / PROPERTIES_FILE
    if kept.is_file():
        try:
            json_format.ParseDict(json.loads(kept.read_text(encoding="utf-8")), artifact.mlmd_artifact)
        except (ValueError, json_format.ParseError) as error:
            raise SluicewayError(f"{kept}: cannot be read as an artifact's properties: {error}") from error
    return artifact


def save_artifact(artifacts: Sequence[Any], folder: Path) -> None:
    """Keep an output's properties beside its content, or that there is none."""
    from google.protobuf import json_format

    folder.mkdir(parents=True, exist_ok=True)
    if not artifacts:
        (folder / NOTHING_FILE).write_text("This node gave out nothing here.\n", encoding="utf-8")
        return
    document = json_format.MessageToDict(artifacts[0].mlmd_artifact, preserving_proto_field_name=True)
    kept = {key: document[key] for key in ("properties", "custom_properties") if document.get(key)}
    if kept:
        (folder / PROPERTIES_FILE).write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def properties(folder: Path) -> Mapping[str, Any]:
    """What :func:`save_artifact` kept, flat; empty where there is nothing."""
    kept = folder / PROPERTIES_FILE
    if not kept.is_file():
        return {}
    document = json.loads(kept.read_text(encoding="utf-8"))
    flat = {**document.get("properties", {}), **document.get("custom_properties", {})}
    return {name: next(iter(value.values())) for name, value in flat.items()}
