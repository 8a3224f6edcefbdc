"""The champion is what is live, and never the candidate itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.champion.resolve import champion_of
from serving.store.base import Version
from serving.store.manifest import Identity, Manifest


def version(number, digest, champion=None):
    return Version("taxi", number, Path(str(number)), Manifest("taxi", number, "", digest, {}, Identity("run", "taxi", champion=champion)))


ONE, TWO, THREE = version(1, "a"), version(2, "b", champion=1), version(3, "c", champion=2)


@pytest.mark.parametrize(
    ("candidate", "versions", "champion"),
    [
        ("x", [], None),
        ("x", [ONE], ONE),
        ("x", [ONE, TWO, THREE], THREE),
        ("a", [ONE], None),  # the first model again: there is nothing to hold it against
        ("b", [ONE, TWO], ONE),  # what is live again: against what that was held against
        ("c", [ONE, TWO, THREE], TWO),
        ("c", [ONE, THREE], None),  # which is gone
        ("a", [ONE, TWO], TWO),  # an older one again is a candidate like any other
    ],
)
def test_the_champion_is(candidate, versions, champion):
    assert champion_of(candidate, versions) is champion
