"""The contract of a runner, what it tells while it runs, and what a run comes to.

NodeEvent:  waiting -> running -> done | cached | refused | failed      (never started: skipped)
RunResult:  live | refused | unchanged | failed
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from configs.errors import ExitCode
from serving.verdict import Reason, Verdict

NodeState = Literal["waiting", "running", "done", "cached", "refused", "failed", "skipped"]
RunVerdict = Literal["live", "refused", "unchanged", "failed"]


@dataclass(frozen=True)
class NodeEvent:
    """A node's state changed. ``figure`` is what a person wants to know of it: rows, AUC, seconds to load."""

    name: str
    state: NodeState
    seconds: float = 0.0
    figure: str = ""

    @property
    def ended(self) -> bool:
        """Nothing more comes for this node."""
        return self.state not in {"waiting", "running"}


@dataclass(frozen=True)
class RunResult:
    """What a run came to: the document that ``run --json`` prints.

    ``version`` is what is live after the run, ``champion`` what was live before it; None where nothing is. A failed run has its error
    as its only reason.
    """

    use_case: str
    verdict: RunVerdict
    version: int | None
    champion: int | None
    run_id: str
    log: str
    seconds: float = 0.0
    exit_code: ExitCode = ExitCode.DONE
    gate: str | None = None
    reasons: tuple[Reason, ...] = ()
    nodes: tuple[NodeEvent, ...] = ()
    metrics: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values; the keys are a public contract."""
        return {
            "use_case": self.use_case,
            "verdict": self.verdict,
            "version": self.version,
            "champion": self.champion,
            "gate": self.gate,
            "reasons": [vars(reason) for reason in self.reasons],
            "metrics": self.metrics,
            "nodes": [
                {
                    "name": node.name,
                    "state": node.state,
                    "seconds": round(node.seconds, 2),
                    "cached": node.state == "cached",
                    "figure": node.figure,
                }
                for node in self.nodes
            ],
            "seconds": round(self.seconds, 2),
            "exit_code": int(self.exit_code),
            "run_id": self.run_id,
            "log": self.log,
        }


@dataclass(frozen=True)
class Outcome:
    """How the nodes ended: all of them, or stopped at a gate. ``pushed`` is the pusher's decision where it was reached."""

    refused: Verdict | None
    pushed: str | None
    version: int | None
    metrics: dict[str, float]


Listener = Callable[[NodeEvent], None]


class Runner(Protocol):
    """Runs the nodes of a pipeline and tells each change of a node's state."""

    def run_nodes(self, pipeline: Any, listener: Listener, *, raw_label: str) -> Outcome:
        """Run all nodes, or up to the gate that refuses. ``raw_label`` is the column the data gate watches.

        Raises:
            NodeFailed: a node raised; nothing after it ran.
        """
        ...
