"""The taxi rows ship inside tfx."""

from __future__ import annotations

import importlib.util
import sys
from types import SimpleNamespace

import pytest

from components.example_gen.columns import read_columns
from components.example_gen.reading import Reading
from components.example_gen.source import check_source
from configs.errors import UsageError
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.taxi import data


def test_the_rows_that_ship_fit_the_schema():
    use_case = get_use_case("taxi")
    found = check_source(str(use_case.source()), Reading(read_columns(use_case.schema_path)))
    assert found.files[0].name == "data.csv"


def test_finding_them_does_not_import_tfx():
    before = set(sys.modules)
    data.source()
    assert not {name.partition(".")[0] for name in set(sys.modules) - before} & {"tfx", "tensorflow"}


@pytest.mark.parametrize(
    "spec", [None, SimpleNamespace(submodule_search_locations=None), SimpleNamespace(submodule_search_locations=["/nowhere"])]
)
def test_without_tfx_the_way_out_is_told(monkeypatch, spec):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(UsageError, match=r"pip install 'sluiceway\[pipeline\]' or give --data"):
        data.source()
