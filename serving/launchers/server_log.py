"""Reads a model server's log: whether it came to the model, why it refused it, how long the load took.

TF Serving opens its ports only when the model is there, and ends when it cannot be: its log is all there is to ask. The lines are those
of ``tensorflow_serving/core/loader_harness.cc`` and ``model_servers/main.cc``, and those of our own server.
"""

from __future__ import annotations

import re

# Each servable in braces of its own, inside those of the list.
_REFUSED = re.compile(
    r"did not become available: \{(?P<whole>\{(?=\{))?.*?due to error: (?P<why>.*?)(?(whole)\}),?\s*\}\s*(?:\n|\Z)", re.DOTALL
)
_INCOMPLETE = re.compile(r"version 1 ignored: (?P<why>.*)")
_BEGAN = re.compile(r"Loading servable version|Approving load for servable|Reading SavedModel from|TensorFlow \S+ ready in")
_LOADING = r"^(.*)\bLoading servable version \{{name: {name} version: 1\}}"
_LOADED = r"^(.*)\bSuccessfully loaded servable version \{{name: {name} version: 1\}}"
_OUR_LOADED = r"\bloaded {name} version 1 in ([\d.]+) s$"
# TensorFlow: "2026-07-30 12:00:01.5: I file.cc:1]". Abseil: "I0730 12:00:01.5 42 file.cc:1]", "I0000 00:00:1785412801.5 42 file.cc:1]".
_CLOCK = re.compile(r"^(?:\d{4}-\d\d-\d\d|[IWEF]\d{4}) (\d\d):(\d\d):(\d+(?:\.\d+)?)")
_DAY = 24 * 3600


def refusal(log: str) -> str | None:
    """The server's words on why the model does not load; None when it has not said so."""
    found = _REFUSED.search(log) or _INCOMPLETE.search(log)
    return " ".join(found["why"].split()) if found else None


def began(log: str) -> bool:
    """Did the server itself come up, so that what is waited for now is the model?"""
    return _BEGAN.search(log) is not None


def load_seconds(log: str, model_name: str) -> float | None:
    """How long the load of version 1 took, warm-up included; None when the log does not tell."""
    name = re.escape(model_name)
    ours = re.search(_OUR_LOADED.format(name=name), log, re.MULTILINE)
    if ours:
        return float(ours.group(1))
    begin, end = (re.search(line.format(name=name), log, re.MULTILINE) for line in (_LOADING, _LOADED))
    clocks = [_CLOCK.match(found.group(1)) if found else None for found in (begin, end)]
    seconds = [int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3]) for clock in clocks if clock]
    return (seconds[1] - seconds[0]) % _DAY if len(seconds) == 2 else None
