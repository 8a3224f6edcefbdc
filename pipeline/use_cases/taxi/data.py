"""Where the taxi rows are: 15,002 real trips that ship inside the installed tfx package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from configs.errors import UsageError

# Origin: City of Chicago taxi trips, the sample of TFX's own example.
_INSIDE_TFX = Path("examples/chicago_taxi_pipeline/data/simple/data.csv")


def source() -> Path:
    """The CSV file inside the tfx package, found without importing tfx (which takes seconds).

    Raises:
        UsageError: tfx is not installed, or came without its example data.
    """
    spec = importlib.util.find_spec("tfx")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        if (path := Path(folder) / _INSIDE_TFX).is_file():
            return path
    raise UsageError("the taxi rows ship inside tfx, which is not installed; pip install 'sluiceway[pipeline]' or give --data")
