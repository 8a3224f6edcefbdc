"""A compiled pipeline: its name, its parameters, and the version that its content makes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from configs.errors import UsageError

_DIGITS = 12


@dataclass(frozen=True)
class Package:
    """``text`` is the IR as YAML; the same text is the same version wherever it is uploaded."""

    name: str
    text: str
    parameters: frozenset[str]

    @property
    def version(self) -> str:
        """The name of this version: unique among all pipelines of a server, as its Kubernetes store wants it."""
        return f"{self.name}-{hashlib.sha256(self.text.encode()).hexdigest()[:_DIGITS]}"


def read(text: str, *, source: str) -> Package:
    """A package from its text. ``source`` says in messages where it came from.

    Raises:
        UsageError: the text is no compiled KFP v2 pipeline.
    """
    try:
        # A pipeline whose steps need Kubernetes' own settings has these in a second document.
        spec: Any = next(yaml.safe_load_all(text), None)
        name = spec["pipelineInfo"]["name"]
        parameters = frozenset(spec["root"].get("inputDefinitions", {}).get("parameters", {}))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise UsageError(f"{source} is no compiled KFP v2 pipeline: make one with sluiceway compile") from error
    return Package(str(name), text, parameters)


def read_file(path: str) -> Package:
    """The package in a file."""
    if not path:
        raise UsageError("--file is empty; give a compiled pipeline, made with sluiceway compile")
    try:
        return read(Path(path).read_text(encoding="utf-8"), source=path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text: a compiled pipeline is YAML, made with sluiceway compile") from error
