"""The nodes of the pipeline by name, in the order they run, and what each may say. Imports nothing."""

from __future__ import annotations

NODES = (
    "ExampleGen",
    "StatisticsGen",
    "Schema",
    "ExampleValidator",
    "Transform",
    "Tuner",
    "Trainer",
    "Champion",
    "Evaluator",
    "InfraValidator",
    "Pusher",
)
OPTIONAL = frozenset({"Tuner"})
# What Champion and Pusher say depends on the store, which changes without the pipeline; what InfraValidator says, on a server and a
# machine: they run each time.
NEVER_CACHED = frozenset({"Champion", "InfraValidator", "Pusher"})
# The nodes that may refuse, and what each is called in a verdict.
GATES = {"ExampleValidator": "data", "Evaluator": "evaluator", "InfraValidator": "infra_validator"}


def node_names(*, tuner: bool) -> list[str]:
    """The nodes of a run, in order."""
    return [name for name in NODES if tuner or name not in OPTIONAL]
