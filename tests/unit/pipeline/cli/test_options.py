"""``--data`` becomes one override, whatever the path looks like."""

from __future__ import annotations

import pytest

from configs.load import load_settings
from pipeline.cli.options import data_override


@pytest.mark.parametrize("path", ["rows.csv", "2024", "*.csv", "it's.csv", "a: b.csv", "true", "", "~", "#x"])
def test_a_path_stays_the_text_it_is(path):
    assert load_settings("taxi", "local", data_override(path)).use_case.data.source == path


def test_no_path_changes_nothing():
    assert data_override(None) == []
