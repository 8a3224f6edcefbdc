"""The figures that the benchmark of a run prints."""

from __future__ import annotations

import pytest

from benchmarks.run_time.report import AGAIN, EXAMPLE, OURS, Report

MEASURED = Report(15_002, {EXAMPLE: [100.0, 90.0, 300.0], OURS: [60.0, 50.0, 40.0], AGAIN: [2.0, 3.0, 4.0]}, [0.1, 1.2, 0.3])


def test_one_slow_round_does_not_move_the_figures():
    assert MEASURED.medians() == {EXAMPLE: 100.0, OURS: 50.0, AGAIN: 3.0}


def test_the_ratio_is_ours_over_tfx():
    assert MEASURED.ratio() == pytest.approx(0.5)


def test_the_text_shows_rows_medians_every_run_and_the_ratio():
    text = MEASURED.as_text()
    for shown in ("15,002 rows", "100.0   (100.0  90.0  300.0)", "50.0   (60.0  50.0  40.0)", "ours / TFX  0.50", "0.1, 1.2, 0.3"):
        assert shown in text


def test_the_json_holds_the_same():
    values = MEASURED.as_json()
    assert values["ratio"] == 0.5
    assert values["rows"] == 15_002
    assert values["medians"] == MEASURED.medians()
