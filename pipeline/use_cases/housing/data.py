"""Where the housing rows are: 506 real districts of Boston that ship inside the installed scikit-learn package."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

from configs.errors import UsageError
from pipeline.use_cases.shipped import made_once

# Origin: D. Harrison and D. L. Rubinfeld, Hedonic housing prices and the demand for clean air, 1978; census of 1970.
_INSIDE_SCIKIT_LEARN = Path("datasets/data/boston_house_prices.csv")
# A transform of the share of Black residents, made so that segregation would raise the price: docs/use-cases/housing.md.
_LEFT_OUT = "B"


def source() -> Path:
    """A CSV file with the 12 inputs and the price, unpacked from scikit-learn's once; nothing heavy is imported.

    Raises:
        UsageError: scikit-learn is not installed, came without the file or with another one, or the cache cannot be written.
    """
    original = _original()
    return made_once("housing", Path(__file__), lambda folder: _unpack(original, folder / "boston.csv")) / "boston.csv"


def _original() -> Path:
    # The package itself is not imported: that takes seconds.
    spec = importlib.util.find_spec("sklearn")
    for folder in list(spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / _INSIDE_SCIKIT_LEARN).is_file():
            return path
    raise UsageError("the housing rows ship inside scikit-learn, which is not installed; pip install 'sluiceway[pipeline]' or give --data")


def _unpack(original: Path, path: Path) -> None:
    """scikit-learn's file counts its rows and columns in the first line; the header is the second."""
    with original.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    counts, header, rows = lines[:1], lines[1:2], lines[2:]
    if not header or _LEFT_OUT not in header[0] or counts[0][0] != str(len(rows)):
        raise UsageError(f"{original}: not the housing rows as scikit-learn 1.5 has them; give --data")
    kept = [place for place, name in enumerate(header[0]) if name != _LEFT_OUT]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([row[place] for place in kept] for row in [*header, *rows])
