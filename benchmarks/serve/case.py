"""One model to be served, with one example and the answer that TensorFlow gives in process.

Imports nothing, because the services read it in their own environments.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Column:
    """One input of the signature: its name, numpy dtype (``float32``, ``int64``, ``string``) and the shape of one example."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A SavedModel, the signature that is called, one example and its answer, both without the batch dimension."""

    name: str
    base_path: str
    """Holds the numbered version 1, as TF Serving wants it."""
    signature: str
    columns: tuple[Column, ...]
    example: dict[str, Any]
    expected: dict[str, Any]

    @property
    def directory(self) -> str:
        """Where the SavedModel itself is."""
        return str(Path(self.base_path, "1"))

    def batch_of_one(self) -> dict[str, list[Any]]:
        """The example as whole tensors: each value in a list of one."""
        return {name: [value] for name, value in self.example.items()}


def write(case: Case, path: Path) -> None:
    """The case as a JSON file."""
    path.write_text(json.dumps(asdict(case)), encoding="utf-8")


def read(path: Path) -> Case:
    """What ``write`` wrote."""
    values = json.loads(path.read_text(encoding="utf-8"))
    columns = tuple(Column(item["name"], item["dtype"], tuple(item["shape"])) for item in values.pop("columns"))
    return Case(columns=columns, **values)
