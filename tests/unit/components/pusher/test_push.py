"""What is published: every candidate that each gate blessed, unless it is live already."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.pusher.push import decide
from serving.store.base import Version
from serving.store.manifest import Identity, Manifest

LIVE = Version("taxi", 1, Path("1"), Manifest("taxi", 1, "", "sha256:live", {}, Identity("run", "taxi")))


@pytest.mark.parametrize(
    ("digest", "live", "blessed", "decision"),
    [
        ("sha256:new", None, True, "publish"),
        ("sha256:new", LIVE, True, "publish"),
        ("sha256:live", LIVE, True, "unchanged"),
        ("sha256:new", None, False, "refused"),
        ("sha256:new", LIVE, False, "refused"),
        ("sha256:live", LIVE, False, "refused"),
    ],
)
def test_the_decision_is(digest, live, blessed, decision):
    assert decide(digest, live, blessed=blessed) == decision
