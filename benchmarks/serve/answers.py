"""Is an answer the right one: the same numbers and words as TensorFlow gave in process."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

RELATIVE, ABSOLUTE = 1e-3, 1e-5
"""float32 on other kernels and in batches of another size; a wrong model or a wrong row is far outside."""


def difference(expected: Mapping[str, Any], answer: Mapping[str, Any]) -> str | None:
    """What is wrong with the answer, or None. Values may be nested otherwise: products differ in how they write a batch of one."""
    if expected.keys() != answer.keys():
        return f"outputs {sorted(answer)} instead of {sorted(expected)}"
    for name, value in expected.items():
        wanted, given = list(leaves(value)), list(leaves(answer[name]))
        if len(wanted) != len(given) or not all(map(_same, wanted, given)):
            return f"{name} is {str(answer[name])[:100]} instead of {str(value)[:100]}"
    return None


def leaves(value: Any) -> Iterator[Any]:
    """The values of nested lists, in order."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def _same(wanted: Any, given: Any) -> bool:
    if isinstance(wanted, str) or isinstance(given, str):
        return bool(wanted == given)
    return math.isclose(wanted, given, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
