"""The page that Prometheus reads, in TF Serving's spelling of its text format, from snapshots of metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypedDict

from serving.server.metric_families import VERSION_STATE

DEFAULT_PATH = "/monitoring/prometheus/metrics"
CONTENT_TYPE = "text/plain"


class Point(TypedDict):
    """One series: a counter's or gauge's ``value``, or a distribution's sum with the counts of its ``buckets``, one more than bounds."""

    labels: list[str]
    value: float
    buckets: list[int]


class FamilySnapshot(TypedDict):
    """One metric: ``kind`` is counter, gauge or histogram; each point has a value for each of ``labels``."""

    kind: str
    labels: list[str]
    bounds: list[float]
    points: list[Point]


# By TensorFlow's name of the metric.
Snapshot = dict[str, FamilySnapshot]


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """One snapshot of several processes.

    Everything is added up; only the state of a version is the lowest anywhere, so that AVAILABLE means in every process. Keep the last
    snapshot of a process that ended among them: counters that fall look like a restart to Prometheus.
    """
    merged: Snapshot = {}
    for snapshot in snapshots:
        for name, family in snapshot.items():
            known = merged.setdefault(
                name, FamilySnapshot(kind=family["kind"], labels=family["labels"], bounds=family["bounds"], points=[])
            )
            points = {tuple(point["labels"]): point for point in known["points"]}
            for point in family["points"]:
                labels = tuple(point["labels"])
                points[labels] = _added(name, points[labels], point) if labels in points else point
            known["points"] = [points[labels] for labels in sorted(points)]
    return merged


def _added(name: str, one: Point, other: Point) -> Point:
    if name == VERSION_STATE.name:
        return one if one["value"] <= other["value"] else other
    buckets = [left + right for left, right in zip(one["buckets"], other["buckets"], strict=True)]
    return Point(labels=one["labels"], value=one["value"] + other["value"], buckets=buckets)


def render(snapshot: Snapshot, *, strict: bool = False) -> str:
    """The page. Sums of distributions have all their digits; with ``strict`` six, as upstream, where rates of old sums come in steps."""
    lines: list[str] = []
    for name in sorted(snapshot):
        family = snapshot[name]
        shown = metric_name(name)
        lines.append(f"# TYPE {shown} {family['kind']}")
        for point in family["points"]:
            labels = ",".join(
                f'{label_name(key)}="{_escaped(value, strict)}"' for key, value in zip(family["labels"], point["labels"], strict=True)
            )
            if family["kind"] == "histogram":
                lines += _histogram(shown, labels, family["bounds"], point, strict)
            else:
                lines.append(f"{shown}{{{labels}}} {int(point['value'])}")
    return "\n".join(lines) + "\n"


def _histogram(name: str, labels: str, bounds: list[float], point: Point, strict: bool) -> list[str]:
    lines, total = [], 0
    prefix = f"{labels}," if labels else ""
    limits = [f"{bound:g}" for bound in bounds] + ["+Inf"]
    for limit, count in zip(limits, point["buckets"], strict=True):
        total += count
        lines.append(f'{name}_bucket{{{prefix}le="{limit}"}} {total}')
    amount = f"{point['value']:g}" if strict else f"{point['value']:.17g}"
    return [*lines, f"{name}_sum{{{labels}}} {amount}", f"{name}_count{{{labels}}} {total}"]


def metric_name(name: str) -> str:
    """A metric's name as Prometheus has it: ``/tensorflow/serving/request_count`` is ``:tensorflow:serving:request_count``."""
    shown = re.sub("[^a-zA-Z0-9_]", ":", name)
    return f"_{shown}" if shown[:1].isdigit() else shown


def label_name(name: str) -> str:
    """A label's name as Prometheus has it."""
    shown = re.sub("[^a-zA-Z0-9]", "_", name)
    return f"_{shown}" if shown[:1].isdigit() else shown


def _escaped(value: str, strict: bool) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    # Upstream lets a line break through, and with it whatever line a client likes to add to the page.
    return escaped if strict else escaped.replace("\n", "\\n")
