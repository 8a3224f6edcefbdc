"""The chopsticks rows that ship: 1,116 SYNTHETIC ones, made here in the form of the published study's table."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from pipeline.use_cases.shipped import made_once

# The header of the study's own file; the configuration maps it to the schema's names (``data.columns``).
COLUMNS = ("Food.Pinching.Efficiency", "Individual", "Chopstick.Length")
PEOPLE, TRIES = 31, 6
LENGTHS = (180, 210, 240, 270, 300, 330)
# Millimetres; made up, and near what the study found best.
BEST_LENGTH = 240
_SEED = 186


def source() -> Path:
    """A CSV file of synthetic rows, written once.

    Raises:
        UsageError: the user's cache cannot be written.
    """
    return made_once("chopsticks-synthetic", Path(__file__), lambda folder: _write(folder / "synthetic.csv")) / "synthetic.csv"


def synthetic_rows() -> list[tuple[float, int, int]]:
    """(efficiency, individual, length in mm), each person with each length several times; the same rows every time.

    A person's own skill counts most, a length far from the best costs a few points, and no two tries are alike.
    """
    chance = random.Random(_SEED)
    skills = [chance.gauss(25.0, 3.5) for _ in range(PEOPLE)]
    return [
        (round(max(0.0, skill - 3.0 * ((length - BEST_LENGTH) / 90) ** 2 + chance.gauss(0.0, 1.8)), 2), individual, length)
        for _ in range(TRIES)
        for length in LENGTHS
        for individual, skill in enumerate(skills, start=1)
    ]


def _write(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *synthetic_rows()])
