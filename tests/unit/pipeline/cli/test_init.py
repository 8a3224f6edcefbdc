"""``sluiceway init`` writes a use case that holds together, whole or not at all."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from configs.errors import ConfigError, UsageError
from configs.load import load_settings
from pipeline.cli.init import init
from pipeline.run import check
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
        (["class", "--like", "taxi"], "'class' is no name for a use case: Python means something else by it"),
        (["numpy", "--like", "taxi"], "numpy: numpy is the name of an installed package ("),
        (["taxi", "--like", "taxi"], "taxi: taxi is the name of a use case that comes with sluiceway"),
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


@pytest.mark.parametrize("model", sorted(USE_CASES))
def test_the_test_that_is_written_passes(model, place):
    assert CliRunner().invoke(init, ["mine", "--like", model]).exit_code == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "mine"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_its_neighbours_hide_nothing(place):
    assert CliRunner().invoke(init, ["mine", "--like", "taxi"]).exit_code == 0
    (place / "tensorflow_transform.py").write_text("raise AssertionError\n", encoding="utf-8")
    get_use_case("./mine")
    assert str(place) not in sys.path
    assert importlib.util.find_spec("tensorflow_transform").origin != str(place / "tensorflow_transform.py")


@pytest.mark.usefixtures("place")
def test_a_folder_by_its_name_alone_is_told_how_to_be_written():
    assert CliRunner().invoke(init, ["mine", "--like", "taxi"]).exit_code == 0
    with pytest.raises(ConfigError, match=r"no use case 'mine'; there are: .*; the folder is written \./mine"):
        load_settings("mine")


def test_a_state_folder_inside_it_is_refused(place, monkeypatch):
    assert CliRunner().invoke(init, ["mine", "--like", "taxi"]).exit_code == 0
    monkeypatch.chdir(place / "mine")
    with pytest.raises(UsageError, match="lies inside the use case's own folder"):
        check(load_settings("."))
    check(load_settings(".", overrides=[f"state={place / 'state'}"]))
