"""What the server's log tells of its loads: which version became available when, and how long its load took."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_LOADED = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) INFO loaded \S+ version (\d+) in (\d+\.\d+) s$", re.MULTILINE)


@dataclass(frozen=True)
class Load:
    """When a version was available, in seconds since the epoch, and how many seconds its load took."""

    at: float
    seconds: float


def loads(text: str) -> Mapping[int, Load]:
    """By version. Of several workers the last to have it counts."""
    found: dict[int, Load] = {}
    for at, version, seconds in _LOADED.findall(text):
        one = Load(datetime.strptime(at, "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp(), float(seconds))
        before = found.get(int(version))
        if before is None or before.at < one.at:
            found[int(version)] = one
    return found
