"""``sluiceway init`` writes a use case that holds together, whole or not at all."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.init import init
from pipeline.use_cases import USE_CASES
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.scaffold import RECIPE

REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    """A folder to work in; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "mine":
            del sys.modules[name]


@pytest.mark.parametrize("model", sorted(USE_CASES))
def test_it_is_found_by_its_path_and_speaks_of_itself_alone(model, place):
    assert CliRunner().invoke(init, ["mine", "--like", model]).exit_code == 0
    found = get_use_case("./mine")
    assert (found.name, found.package, found.folder) == ("mine", "mine", place / "mine")
    assert found.task == get_use_case(model).task
    for path in (place / "mine").rglob("*.py"):
        assert path.name != "__main__.py", path
        assert f"pipeline.use_cases.{model}" not in path.read_text(encoding="utf-8"), path


def test_it_prints_the_recipe_that_contributing_has():
    shown = CliRunner().invoke(init, ["mine", "--like", "taxi"]).output
    recipe = RECIPE.read_text(encoding="utf-8").rstrip()
    assert recipe in shown
    assert recipe in (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_json_lists_the_files(place):
    shown = json.loads(CliRunner().invoke(init, ["mine", "--like", "taxi", "--json"]).output)
    assert shown["files"] == sorted(path.name for path in (place / "mine").iterdir())


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["Mine", "--like", "taxi"], "'Mine' is no name for a use case: lower-case letters, digits and _, beginning with a letter"),
        (["mine", "--like", "moon"], "no use case 'moon' to copy; there are: "),
        (["there/mine", "--like", "taxi"], "there: there is no such folder"),
    ],
)
def test_wrong_words_are_one_line_and_nothing_is_written(arguments, line, place):
    done = CliRunner().invoke(init, arguments)
    assert str(done.exception).startswith(line)
    assert list(place.iterdir()) == []


def test_what_is_there_is_not_touched(place):
    (place / "mine").mkdir()
    done = CliRunner().invoke(init, ["mine", "--like", "taxi"])
    assert "mine exists already" in str(done.exception)
    assert list((place / "mine").iterdir()) == []
