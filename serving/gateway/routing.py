"""Which version answers a request. Pure: the same arms and the same key always give the same answer.

Each arm draws an exponential number from a hash of the key and its own name, at a rate of its weight, and the smallest wins. So a key stays
where it is while weights move, unless its own arm lost or another one gained, and the shares are the weights'. Without weights this is
rendezvous hashing (D. Thaler and C. Ravishankar, 1998).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from configs.gateway import Arm, Shadow

_BITS = 53  # as many as a float holds exactly
_VERSION = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True)
class Target:
    """Which version of a model: a number, a label, or neither for the newest."""

    version: int | None = None
    label: str | None = None

    @property
    def name(self) -> str:
        """As metrics and logs call it: ``v3``, ``canary``, ``newest``."""
        return f"v{self.version}" if self.version is not None else self.label or "newest"


@dataclass(frozen=True)
class Choice:
    """A target, and why it is the one: ``newest``, ``arm``, ``header`` or ``path``."""

    target: Target
    why: str


@dataclass(frozen=True)
class Asked:
    """A request to a model whose version is chosen. ``shadow``: where a copy goes, None: nowhere."""

    model: str
    verb: str
    target: Target
    shadow: Target | None = None
    tolerance: float = 0.0


def choose(model: str, arms: Sequence[Arm], key: str) -> Choice:
    """The arm of a user's key.

    Args:
        arms: with weights; none means the newest version. An arm of weight 0 gets nothing.
        key: what is the same for the same user; a new one for each request spreads requests by weight.
    """
    if not arms:
        return Choice(Target(), "newest")
    best = min((arm for arm in arms if arm.weight > 0), key=lambda arm: _draw(model, key, _target(arm)) / arm.weight)
    return Choice(_target(best), "arm")


def asked(path: Target, version: str | None, label: str | None) -> Choice | None:
    """What a request itself asks for, by its path or by its headers; None when it leaves the choice to us.

    Raises:
        ValueError: the headers contradict each other or the path, or the version is no number.
    """
    if version is not None and label is not None:
        raise ValueError("x-model-version and x-model-label are both given; give one")
    in_path = path != Target()
    if version is None and label is None:
        return Choice(path, "path") if in_path else None
    if in_path:
        raise ValueError("the version is given by the path and by a header; give one")
    if version is None:
        if not label:
            raise ValueError("x-model-label: '' is not a label; expected a name")
        return Choice(Target(label=label), "header")
    # By its digits first: Python refuses to turn thousands of them into a number.
    if not (_VERSION.fullmatch(version) and 0 < int(version) < 2**63):
        raise ValueError(f"x-model-version: {version[:40]!r} is not a version; expected a positive whole number")
    return Choice(Target(version=int(version)), "header")


def is_shadowed(shadow: Shadow | None, chosen: Target, draw: float) -> bool:
    """Whether a copy of this request goes to the shadow.

    Args:
        draw: a number in 0..1 that is new for each request.
    """
    return shadow is not None and draw < shadow.share and shadow_target(shadow) != chosen


def shadow_target(shadow: Shadow) -> Target:
    """The version that copies go to."""
    return Target(shadow.version, shadow.label)


def _target(arm: Arm) -> Target:
    return Target(arm.version, arm.label)


def _draw(model: str, key: str, arm: Target) -> float:
    """An exponential variable of rate one, from a hash."""
    # Version 3 and a label called v3 are two arms.
    text = "\0".join((model, key, str(arm.version or ""), arm.label or "")).encode("utf-8", "surrogateescape")
    number = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> (64 - _BITS)
    return -math.log((number + 1) / (2**_BITS + 1))
