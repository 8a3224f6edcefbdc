"""What a node has to say once it has ended: a plain value, without TFX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serving.verdict import Verdict


@dataclass(frozen=True)
class NodeReport:
    """One node of one run. ``verdict`` is None for nodes that are no gate."""

    cached: bool
    verdict: Verdict | None = None
    figure: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
