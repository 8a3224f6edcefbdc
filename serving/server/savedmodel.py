"""From a version directory to a model in memory, or to one line that says why not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.protocol.status import Code, StatusError, invalid
from serving.server.runtime import graph, session, silence
from serving.server.runtime.library import library
from serving.server.servable import Servable

TAGS = ("serve",)
_NODE = re.compile(r"\s*\[\[\{\{.*\}\}\]\]", re.DOTALL)


@dataclass(frozen=True)
class LoadOptions:
    """How models are loaded. ``strict`` loads what TF Serving would load, also when it can never answer."""

    tags: Sequence[str] = TAGS
    session_config: bytes = b""
    prefer_tflite: bool = False
    tflite_interpreters: int = 1
    strict: bool = False


def import_runtime(*, quiet: bool = False) -> str:
    """Open TensorFlow's library and return its version; ``quiet`` keeps what it says about itself off stderr. Raises NoTensorFlow."""
    if not quiet:
        return library().version
    with silence.stderr():
        return library().version


def load(path: Path, options: LoadOptions = LoadOptions()) -> Servable:
    """Load the model in `path`, made by TensorFlow 1 or 2. Raises StatusError with one line that says why not."""
    if options.prefer_tflite and (path / "model.tflite").is_file():
        from serving.server.runtime import tflite

        return tflite.load(path / "model.tflite", options.tflite_interpreters)
    if not options.strict and (problem := graph.problem(path, options.tags)):
        raise invalid(problem)
    if options.strict and not any((path / name).exists() for name in (graph.SAVED_MODEL_FILE, f"{graph.SAVED_MODEL_FILE}txt")):
        # TF Serving looks itself before its loader does.
        wanted = f"(should have a file called `{graph.SAVED_MODEL_FILE}`)"
        raise StatusError(
            Code.NOT_FOUND, f"Specified file path does not appear to contain a SavedModel bundle {wanted}\nSpecified file path: {path}"
        )
    try:
        return session.load(path, options.tags, options.session_config)
    except StatusError as error:
        raise StatusError(error.code, _one_line(path, error.message)) from error
    except UnicodeEncodeError as error:
        raise StatusError(Code.INVALID_ARGUMENT, f"{path!r} is not a path that TensorFlow takes") from error


def _one_line(path: Path, message: str) -> str:
    text = " ".join(_NODE.sub("", message).split())[:1000]
    if str(path) in text:
        return text
    if "RestoreV2" in message:  # TensorFlow says which operation failed, not on which file
        variables = path / "variables"
        names = ", ".join(sorted(file.name for file in variables.glob("*")))
        return f"{variables} cannot be restored, a file there is cut off or damaged ({names}): {text}"
    return f"{path}: {text}"
