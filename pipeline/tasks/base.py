"""What a task decides: how a model's output becomes named answers, and what it is measured by.

    build_model ──output [batch, ...]──> Task.outputs ──> predict, serving_default    (what the evaluator reads, too)
                                    └──> Task.answer  ──> classify or regress, as TF Serving means them

Importing a task imports no TensorFlow: metrics and names are needed where configurations are checked.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from configs.errors import ConfigError
from pipeline.tasks import TASKS

LABEL = "label"


@dataclass(frozen=True)
class Measure:
    """A metric: TFMA's class for it with its settings, and which way it is better."""

    tfma_class: str
    better: Literal["higher", "lower"]
    settings: Mapping[str, Any] = field(default_factory=dict)


class Task(ABC):
    """One kind of answer.

    measures:    every metric the task is measured by, in the order in which they are told; limits may be set on these alone.
    prediction:  the output that the evaluator compares with the label.
    signature:   name of the signature that answers serialized examples in TF Serving's own form.
    method:      TF Serving's name of that signature's method.
    """

    measures: ClassVar[Mapping[str, Measure]]
    prediction: ClassVar[str]
    signature: ClassVar[str]
    method: ClassVar[str]

    @abstractmethod
    def outputs(self, predicted: Any, classes: Sequence[str]) -> dict[str, Any]:
        """Named outputs, one row an example, of a model's output [batch, units]."""

    @abstractmethod
    def answer(self, predicted: Any, classes: Sequence[str]) -> dict[str, Any]:
        """The outputs of the signature ``signature``: ``classes`` and ``scores`` [batch, classes], or ``outputs`` [batch]."""

    def check_classes(self, classes: Sequence[str]) -> None:
        """Hold a use case's class names against the task. Raises ConfigError."""
        if len(set(classes)) != len(classes):
            raise ConfigError(f"classes {', '.join(classes)}: a name stands twice")


def load_task(name: str) -> Task:
    """The task of that name. Raises ConfigError when there is none."""
    if name not in TASKS:
        raise ConfigError(f"no task {name!r}; there are: {', '.join(sorted(TASKS))}")
    module, _, attribute = TASKS[name].partition(":")
    found: Task = getattr(importlib.import_module(module), attribute)()
    return found
