"""Where schedules are kept, by name. An entry is ``module:Class``; nothing is imported until it is asked for."""

from __future__ import annotations

SCHEDULERS: dict[str, str] = {}
