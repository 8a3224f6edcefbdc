"""What each use case must provide: one shape, all by dotted names, so that looking one up imports no TensorFlow."""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from configs.errors import ConfigError, UsageError
from configs.places import is_path, own_folder
from pipeline.use_cases import USE_CASES

# Stands for the rows that come with a use case where an orchestrator needs a text: one has no null for a parameter.
SHIPPED = "shipped"


@dataclass(frozen=True)
class UseCase:
    """A model we know how to build. A field that ends in ``_name`` is the dotted name of a function or value.

    rows:                 what the rows that ship are, in a few words; made-up ones are called synthetic.
    task:                 what kind of answer it gives: a name of ``pipeline.tasks``.
    package:              where the use case lives; its folder holds ``schema.pbtxt``, the curated schema of the raw columns.
    raw_label:            the raw column the label is made of; servers never get it.
    label:                the transformed label's name; of a classification, a class's number.
    source_name:          ``() -> Path``, the rows that ship.
    reader:               ``rows`` are CSV or Parquet; ``images`` are files in a folder for each class, or named by a CSV.
    preprocessing_name:   TFT's ``preprocessing_fn(inputs) -> outputs``.
    build_model_name:     ``(hparams) -> keras.Model``, compiled, from transformed features to the task's output.
    search_space_name:    ``(keras_tuner.HyperParameters, hparams) -> hparams``.
    signatures_name:      ``(ServedModel) -> {name: Signature}`` (``pipeline/training/export.py``), signatures beside the usual ones; or "".
    classes:              class names in the order of the model's output; for a binary task, (negative, positive); none for a number.
    slices:               raw features to slice the evaluation by.
    hparams:              the hyperparameters there are, with their defaults; configuration may change these and no others.
    choices:              of the hyperparameters that name something, what each may name.
    bounds:               of the hyperparameters that are numbers, the least and the most; of a list, of each number in it.
    files:                hyperparameters that may name a file or a folder; its content decides what a run makes.
    check_name:           ``(hparams) -> None``, or "": what can be found out about hyperparameters without TensorFlow; raises ConfigError.
    golden_name:          ``list[dict[column, value or None]]`` or a function that makes it: raw rows whose answers are kept with the model.
    """

    name: str
    package: str
    rows: str
    task: str
    raw_label: str
    label: str
    source_name: str
    preprocessing_name: str
    build_model_name: str
    search_space_name: str
    classes: tuple[str, ...]
    slices: tuple[tuple[str, ...], ...]
    golden_name: str
    hparams: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    reader: Literal["rows", "images"] = "rows"
    signatures_name: str = ""
    check_name: str = ""

    @property
    def about(self) -> str:
        """What it is for: the first line of its package."""
        return (importlib.import_module(self.package).__doc__ or "").strip().partition("\n")[0]

    @property
    def reference(self) -> str:
        """What `get_use_case` finds it by in another process or place."""
        return self.name if self.name in USE_CASES else str(self.folder)

    @property
    def folder(self) -> Path:
        """Where the use case's files lie."""
        return Path(str(importlib.import_module(self.package).__file__)).parent

    @property
    def schema_path(self) -> Path:
        """The curated schema: text proto of tensorflow_metadata's Schema."""
        return self.folder / "schema.pbtxt"

    def load(self, dotted: str) -> Any:
        """The function or value behind one of this use case's dotted names."""
        module, _, attribute = dotted.rpartition(".")
        return getattr(importlib.import_module(module), attribute)

    def merged_hparams(self, configured: Mapping[str, Any]) -> dict[str, Any]:
        """The defaults with the configured values over them.

        Raises:
            ConfigError: a key that is none of the hyperparameters, a value of another type, or none of the choices.
        """
        for key, value in configured.items():
            if key not in self.hparams:
                raise ConfigError(f"hparams.{key}: unknown key; allowed: {', '.join(sorted(self.hparams))}")
            default = self.hparams[key]
            same = isinstance(value, type(default)) or (isinstance(default, float) and type(value) is int)
            parts = value if isinstance(value, list) else [value]
            kind = type(default[0]) if isinstance(default, list) and default else type(default)
            if any(isinstance(part, float) and not math.isfinite(part) for part in parts):
                raise ConfigError(f"hparams.{key}: {value!r} is not finite")
            same = same and (not isinstance(default, list) or all(type(part) is kind for part in parts))
            if not same or (isinstance(value, bool) and not isinstance(default, bool)):
                raise ConfigError(f"hparams.{key}: {value!r} is not of type {type(default).__name__}, as {default!r} is")
            if value not in self.choices.get(key, (value,)):
                raise ConfigError(f"hparams.{key}: {value!r} is none of {', '.join(self.choices[key])}")
            least, most = self.bounds.get(key, (-math.inf, math.inf))
            for part in parts:
                if isinstance(part, int | float) and not least <= part <= most:
                    raise ConfigError(f"hparams.{key}: {part!r} is not between {least:g} and {most:g}")
        return {**self.hparams, **configured}

    def source(self) -> Path:
        """The rows that ship with the use case."""
        found: Path = self.load(self.source_name)()
        return found

    def golden_rows(self) -> Sequence[Mapping[str, Any]]:
        """Raw rows, None for a missing value; without the label."""
        rows = self.load(self.golden_name)
        found: Sequence[Mapping[str, Any]] = rows() if callable(rows) else rows
        return found


def get_use_case(name: str) -> UseCase:
    """Look a use case up by name, or by the path of the folder that holds it.

    Raises:
        UsageError: there is no such use case.
    """
    if is_path(name):
        return own_use_case(name)
    if name not in USE_CASES:
        raise UsageError(f"no use case {name!r}; there are: {', '.join(sorted(USE_CASES))}")
    module, _, attribute = USE_CASES[name].partition(":")
    found: UseCase = getattr(importlib.import_module(module), attribute)
    return found


def own_use_case(path: str) -> UseCase:
    """The use case in a folder of the user's own, imported as a package of the folder's name.

    Raises:
        UsageError: the folder holds none, or its name is another package's.
    """
    folder = own_folder(path)
    name = folder.name
    check_free(name, folder)
    try:
        module = _imported(name, folder)
    except Exception as error:
        raise UsageError(f"{folder / '__init__.py'}: cannot be imported: {type(error).__name__}: {error}") from error
    found = getattr(module, "USE_CASE", None)
    if not isinstance(found, UseCase) or found.name != name:
        raise UsageError(f"{folder / '__init__.py'}: expected USE_CASE = UseCase(name={name!r}, package={name!r}, ...)")
    return found


def check_free(name: str, folder: Path) -> None:
    """Whether a use case in this folder may have this name: as a package it must not hide another one.

    Raises:
        UsageError: something else has it.
    """
    if name in USE_CASES:
        raise UsageError(f"{folder}: {name} is the name of a use case that comes with sluiceway; give it another one")
    known = sys.modules.get(name)
    spec = known.__spec__ if known is not None else importlib.util.find_spec(name)
    places = [Path(place).resolve() for place in (spec.submodule_search_locations or [spec.origin or ""])] if spec is not None else []
    if spec is not None and folder.resolve() not in places:
        raise UsageError(f"{folder}: {name} is the name of an installed package ({places[0] if places else name}); give it another one")


def _imported(name: str, folder: Path) -> ModuleType:
    """The folder as a package. Its neighbours are not importable: they might hide packages that are needed."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is no package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
