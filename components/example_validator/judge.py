"""The data gate: anomalies and statistics in, a verdict out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.example_gen.convert import UNREADABLE
from components.example_gen.corrupt import REPORT_FILE
from serving.verdict import Reason, Verdict

GATE = "data"


@dataclass(frozen=True)
class Anomaly:
    """Something in a split that the schema does not allow; ``feature`` is empty where it is about the whole split."""

    split: str
    feature: str
    kinds: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class ColumnStatistics:
    """What the gate needs of a column: how many values, whether they differ, the most frequent ones if they are words."""

    count: int
    varies: bool
    examples: tuple[str, ...]


def judge(
    found: Sequence[Anomaly],
    columns: Mapping[str, Mapping[str, ColumnStatistics]],
    rows: Mapping[str, int],
    label: str,
    images: Mapping[str, Any] | None = None,
) -> Verdict:
    """Accept or refuse the data of a run.

    Args:
        found: the example validator's anomalies.
        columns: split to column to statistics.
        rows: split to number of rows.
        label: the raw label column.
        images: what ``corrupt_figures`` (example_gen/corrupt.py) says of images; empty where there are none.
    """
    reasons = [
        Reason("empty_split", f"no rows fell into the {split} split; give more data", 0, 1) for split, count in rows.items() if not count
    ]
    reasons += _corrupt(images or {})
    reasons += _unreadable(columns)
    # The same trouble in train and eval is one reason.
    seen: dict[tuple[str, str], Reason] = {}
    for anomaly in found:
        if anomaly.feature.endswith(UNREADABLE):
            continue
        code = (anomaly.kinds[0] if anomaly.kinds else "anomaly").lower()
        message = f"{anomaly.feature}: {anomaly.description}" if anomaly.feature else anomaly.description
        seen.setdefault((anomaly.feature, code), Reason(code, message))
    reasons += seen.values()
    train = columns.get("train", {}).get(label)
    if train is not None and train.count and not train.varies:
        reasons.append(Reason("constant_label", f"{label}: the label has the same value in every row; there is nothing to learn"))
    return Verdict(GATE, tuple(reasons))


def _unreadable(columns: Mapping[str, Mapping[str, ColumnStatistics]]) -> list[Reason]:
    names = sorted({name for split in columns.values() for name in split if name.endswith(UNREADABLE)})
    reasons = []
    for name in names:
        parts = [split[name] for split in columns.values() if name in split]
        count = sum(part.count for part in parts)
        first = sorted(example for part in parts for example in part.examples)[:1]
        column = name.removesuffix(UNREADABLE)
        message = f"{column}: {count} value{'s' if count != 1 else ''} cannot be read as a number, for example {' '.join(first)}"
        reasons.append(Reason("wrong_type", message, count, 0))
    return reasons


def _corrupt(images: Mapping[str, Any]) -> list[Reason]:
    if not images or not images["images"]:
        return []
    share = images["corrupt"] / images["images"]
    if share <= images["limit"]:
        return []
    first = "; ".join(images["first"]) + ("; ..." if images["corrupt"] > len(images["first"]) else "")
    message = (
        f"{images['corrupt']:,} of {images['images']:,} images cannot be used ({share:.1%}, at most {images['limit']:.1%}):"
        f" {first}; {REPORT_FILE} beside the examples names all"
    )
    return [Reason("corrupt_images", message, share, images["limit"])]
