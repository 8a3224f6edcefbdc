"""Whether a candidate is to be published: a pure rule."""

from __future__ import annotations

from typing import Literal

from serving.store.base import Version

Decision = Literal["publish", "unchanged", "refused"]


def decide(candidate_digest: str, live: Version | None, *, blessed: bool) -> Decision:
    """Publish what every gate blessed, unless its very content is live already."""
    if not blessed:
        return "refused"
    if live is not None and live.manifest.digest == candidate_digest:
        return "unchanged"
    return "publish"
