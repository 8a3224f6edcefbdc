"""The housing rows ship inside scikit-learn, and come out without the column B."""

from __future__ import annotations

import csv
import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from components.example_gen.columns import read_columns
from components.example_gen.reading import Reading
from components.example_gen.source import check_source
from configs.errors import UsageError
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.housing import data

HEADER = "CRIM,B,MEDV\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Stands for the installed package, with what a test writes as its file."""

    def write(text: str) -> None:
        path = tmp_path / "sklearn" / "datasets" / "data" / "boston_house_prices.csv"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        found = SimpleNamespace(submodule_search_locations=[str(tmp_path / "sklearn")])
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: found)

    return write


def test_the_rows_that_ship_fit_the_schema():
    use_case = get_use_case("housing")
    found = check_source(str(use_case.source()), Reading(read_columns(use_case.schema_path)))
    assert found.files[0].name == "boston.csv"


def test_there_are_506_districts_with_their_prices_and_no_column_b():
    with data.source().open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 506
    assert "B" not in rows[0]
    assert (rows[0]["CRIM"], rows[0]["LSTAT"], rows[0]["MEDV"]) == ("0.00632", "4.98", "24")
    assert {len(row) for row in rows} == {13}


def test_finding_them_imports_nothing_heavy():
    before = set(sys.modules)
    data.source()
    assert not {name.partition(".")[0] for name in set(sys.modules) - before} & {"sklearn", "numpy", "tensorflow", "tfx"}


@pytest.mark.parametrize(
    "spec", [None, SimpleNamespace(submodule_search_locations=None), SimpleNamespace(submodule_search_locations=["/nowhere"])]
)
def test_without_scikit_learn_the_way_out_is_told(monkeypatch, spec):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(UsageError, match=r"pip install 'sluiceway\[pipeline\]' or give --data"):
        data.source()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2,2\n" + HEADER + "1,2,3\n", id="rows-are-missing"),
        pytest.param("1,2\nCRIM,MEDV\n1,3\n", id="no-such-column"),
        pytest.param(HEADER + "1,2,3\n", id="no-counts"),
        pytest.param("1,2\n", id="one-line"),
    ],
)
def test_another_file_there_is_told_and_not_taken(installed, cache, text):
    installed(text)
    with pytest.raises(UsageError, match="not the housing rows"):
        data.source()
    assert not list(cache.rglob("*.csv"))
