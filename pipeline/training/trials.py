"""How a search for hyperparameters goes, told trial by trial to whoever listens in this process. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_listeners: list[Callable[[str], None]] = []


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Have `listener` told of each trial that ends inside the block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def ended(number: int, of: int, score: float | None, best: float | None) -> None:
    """A trial has ended: the how manieth, of how many, its loss and the best so far; None where it has none."""
    said = f"trial {number} of {of}: loss {_shown(score)}, best {_shown(best)}"
    for listener in list(_listeners):
        listener(said)


def _shown(loss: float | None) -> str:
    return "none" if loss is None else f"{loss:.4f}"
