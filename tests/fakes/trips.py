"""Taxi rows for tests that need data and no training."""

from __future__ import annotations

import csv
from pathlib import Path

from components.example_gen.columns import read_columns
from pipeline.use_cases.base import get_use_case


def write_trips(path: Path) -> Path:
    """The taxi use case's golden rows with a label each, as the CSV file a run reads."""
    use_case = get_use_case("taxi")
    columns = list(read_columns(use_case.schema_path))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows({**row, use_case.raw_label: number} for number, row in enumerate(use_case.golden_rows()))
    return path
