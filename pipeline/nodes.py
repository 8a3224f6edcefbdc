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
# What these say depends on the store, which changes without the pipeline: they run each time.
NEVER_CACHED = frozenset({"Champion", "Pusher"})


def node_names(*, tuner: bool) -> list[str]:
    """The nodes of a run, in order."""
    return [name for name in NODES if tuner or name not in OPTIONAL]
