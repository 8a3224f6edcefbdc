"""Which version a label stands for when its model's configuration or versions change; no threads, no model in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Labels:
    """What is configured (``wanted``) and what requests get (``assigned``), label to version."""

    wanted: Mapping[str, int]
    assigned: Mapping[str, int]

    @property
    def pending(self) -> dict[str, int]:
        """The labels that wait for their version."""
        return {label: version for label, version in self.wanted.items() if self.assigned.get(label) != version}


NONE = Labels({}, {})


def settle(wanted: Mapping[str, int], current: Mapping[str, int], available: Collection[int]) -> Labels:
    """Move every label to its wanted version, except where that would take away an answer.

    A label whose current version answers while the wanted one does not yet, stays; one that is new, or whose version is gone anyway,
    moves: a request then hears which version is missing. A label that is no longer wanted goes.
    """
    assigned = {}
    for label, version in wanted.items():
        present = current.get(label)
        stays = present is not None and present in available and version not in available
        assigned[label] = present if present is not None and stays else version
    return Labels(dict(wanted), assigned)


def refusal(
    model: str, wanted: Mapping[str, int], current: Mapping[str, int], available: Collection[int], *, allow_new: bool
) -> str | None:
    """Why TF Serving would refuse these labels; None when it takes them.

    A label may point only to a version that is available now. With ``allow_new`` (its flag
    ``--allow_version_labels_for_unavailable_models``) a label that is new or does not move may point anywhere.
    """
    for label, version in sorted(wanted.items()):
        moves = current.get(label, version) != version
        if version not in available and (moves or not allow_new):
            return f"Request to assign label to version {version} of model {model}, which is not currently available for inference"
    return None
