"""Which published version a candidate is compared with: a pure rule."""

from __future__ import annotations

from collections.abc import Sequence

from serving.store.base import Version


def champion_of(candidate_digest: str, versions: Sequence[Version]) -> Version | None:
    """The champion is what is live. Where the candidate itself is live, it is what that was compared with when it was published:
    a model is never judged against itself. None where nothing is live, or where that older version is gone.

    Args:
        candidate_digest: content digest of the candidate.
        versions: all published versions, oldest first.
    """
    if not versions:
        return None
    live = versions[-1]
    if live.manifest.digest != candidate_digest:
        return live
    return next((version for version in versions if version.number == live.manifest.identity.champion), None)
