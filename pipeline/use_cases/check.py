"""Does a use case hold together? Found out before a run, and without importing TensorFlow."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from configs.errors import ConfigError
from pipeline.tasks.base import load_task
from pipeline.use_cases.base import UseCase

_TYPES = ("FLOAT", "INT", "BYTES")
_NAMES = ("source_name", "preprocessing_name", "build_model_name", "search_space_name", "golden_name", "signatures_name", "check_name")
_MAY_BE_EMPTY = ("signatures_name", "check_name")


def check_use_case(use_case: UseCase, columns: Mapping[str, str], configured: Mapping[str, Any]) -> None:
    """Hold a use case's parts against each other, and the hyperparameters against the use case.

    Args:
        columns: of its schema, name to type.
        configured: the hyperparameters of the configuration.

    Raises:
        ConfigError: something does not fit; the message names the use case's field.
    """
    where = use_case.folder / "__init__.py"
    try:
        load_task(use_case.task).check_classes(use_case.classes)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    for name, kind in columns.items():
        if kind not in _TYPES:
            raise ConfigError(f"{use_case.schema_path}: {name} has the type {kind}; allowed: {', '.join(_TYPES)}")
    listed = ", ".join(sorted(columns))
    if use_case.raw_label not in columns:
        raise ConfigError(f"{where}: raw_label: no such column {use_case.raw_label!r}; the schema has: {listed}")
    for name in sorted({name for names in use_case.slices for name in names}):
        if name not in columns:
            raise ConfigError(f"{where}: slices: no such column {name!r}; the schema has: {listed}")
    for field in _NAMES:
        dotted = getattr(use_case, field)
        if (dotted or field not in _MAY_BE_EMPTY) and not _is_there(dotted):
            raise ConfigError(f"{where}: {field}: there is no {dotted or 'name'!r}; expected the dotted name of something in the use case")
    hparams = use_case.merged_hparams(configured)
    if use_case.check_name:
        use_case.load(use_case.check_name)(hparams)


def _is_there(dotted: str) -> bool:
    """Whether a module has something of that name, by its text: importing it may take TensorFlow."""
    module, _, attribute = dotted.rpartition(".")
    try:
        spec = importlib.util.find_spec(module) if module else None
    except (ImportError, ValueError):
        return False
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return False
    return attribute in _names(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))


def _names(module: ast.Module) -> Iterator[str]:
    for statement in ast.walk(module):
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            yield statement.name
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in statement.names)
        elif isinstance(statement, ast.Name) and isinstance(statement.ctx, ast.Store):
            yield statement.id
