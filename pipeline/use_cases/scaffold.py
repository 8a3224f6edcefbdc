"""A use case of one's own, written like one of ours: which files, with which words changed."""

from __future__ import annotations

import re
from pathlib import Path

from configs.errors import UsageError
from configs.load import CONFIG_ROOT
from pipeline.use_cases import USE_CASES
from pipeline.use_cases.base import get_use_case

RECIPE = Path(__file__).with_name("recipe.md")

_TEST = '''"""The use case {name} holds together. Run it with: python -m pytest {name}"""

from __future__ import annotations

from pathlib import Path

from components.example_gen.columns import read_columns
from configs.load import load_settings
from pipeline.run import check


def test_configuration_use_case_and_rows_fit_together():
    checked = check(load_settings(str(Path(__file__).parent)))
    assert checked.use_case.name == "{name}"
    assert checked.source.places


def test_a_golden_row_has_every_column_that_is_served():
    checked = check(load_settings(str(Path(__file__).parent)))
    for row in checked.use_case.golden_rows():
        assert set(row) == set(read_columns(checked.use_case.schema_path, serving=True)) - {{checked.use_case.raw_label}}
'''


def files_like(name: str, model: str) -> dict[str, bytes]:
    """The files of a use case `name` that is written like `model`, by their place below its folder.

    Raises:
        UsageError: there is no use case `model`.
    """
    if model not in USE_CASES:
        raise UsageError(f"no use case {model!r} to copy; there are: {', '.join(sorted(USE_CASES))}")
    folder = get_use_case(model).folder
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        # A folder that is a program fetches the model's own public data: that is no part of another use case.
        if path.is_file() and "__pycache__" not in path.parts and not path.with_name("__main__.py").exists()
    }
    found = {place: _renamed(content, model, name) if place.endswith(".py") else content for place, content in found.items()}
    found[f"{name}.yaml"] = (CONFIG_ROOT / "use_cases" / f"{model}.yaml").read_bytes()
    found[f"test_{name}.py"] = _TEST.format(name=name).encode()
    return found


def _renamed(content: bytes, model: str, name: str) -> bytes:
    """Python code that speaks of itself by its new name: its package, and the name that it is served under."""
    text = content.decode().replace(f"pipeline.use_cases.{model}", name)
    text = re.sub(rf'\bname="{model}"', f'name="{name}"', text)
    return re.sub(rf'made_once\("{model}"', f'made_once("{name}"', text).encode()
