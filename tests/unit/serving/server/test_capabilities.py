"""The table of what the server can do."""

from __future__ import annotations

import pytest

from serving.server import capabilities
from serving.server.flag_table import SPECS, UPSTREAM
from serving.server.schemas import definitions

ROWS = [*capabilities.GRPC, *capabilities.REST, *capabilities.FILES, *capabilities.config_fields()]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_flag_has_one_row(spec):
    rows = [line for line in capabilities.markdown().splitlines() if line.startswith(f"| `--{spec.name}` |")]
    assert len(rows) == 1
    if spec in UPSTREAM:
        assert f"| {spec.standing} |" in rows[0]


def test_every_row_of_the_table_is_written_once():
    text = capabilities.markdown()
    assert [row.name for row in ROWS if text.count(f"| `{row.name}` |") != 1] == []
    assert [row.upstream for row in capabilities.DIFFERENCES if text.count(f"| {row.upstream} | {row.here} |") != 1] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_that_is_not_the_same_says_why(row):
    assert row.standing in ("same", "better", "not here")
    assert row.standing == "same" or row.note


def test_what_is_said_of_a_field_is_said_of_one_that_is_there():
    fields = {row.name for row in capabilities.config_fields()}
    assert set(capabilities._FIELDS) <= fields
    assert len(fields) == sum(len(items) for table in (definitions.CONFIG, definitions.PLATFORM) for items in table.values())


def test_every_table_is_well_formed():
    for block in capabilities.markdown().split("\n\n"):
        if block.startswith("|"):
            assert len({line.replace("\\|", "").count("|") for line in block.splitlines()}) == 1
