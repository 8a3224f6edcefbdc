"""California's rows become rows of this use case."""

from __future__ import annotations

import csv
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from components.example_gen.columns import read_columns
from components.example_gen.reading import Reading
from components.example_gen.source import check_source
from configs.errors import UsageError
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.housing import california
from pipeline.use_cases.housing.california.__main__ import main


def bunch(**other):
    """Four block groups in the form in which scikit-learn's loader gives them."""
    names = ["MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"]
    rows = [[income, 20.0, rooms, 1.0, 900.0, 2.5, 37.9, -122.2] for income, rooms in ((8.0, 7.0), (2.0, 4.5), (4.0, 5.5), (2.0, 4.0))]
    return SimpleNamespace(**{"feature_names": names, "data": rows, "target": [4.526, 0.9, 2.0, 0.8], **other})


def written(path, **other):
    assert california.write_california(path, lambda: bunch(**other)) == 4
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_file_fits_the_schema(tmp_path):
    written(tmp_path / "out.csv")
    check_source(str(tmp_path / "out.csv"), Reading(read_columns(get_use_case("housing").schema_path)))


def test_values_are_in_our_units(tmp_path):
    rows = written(tmp_path / "out.csv")
    assert [row["MEDV"] for row in rows] == ["452.6", "90", "200", "80"]
    assert [row["RM"] for row in rows] == ["7", "4.5", "5.5", "4"]
    assert {row["AGE"] for row in rows} == {"20"}


def test_lstat_is_the_percentage_that_earns_more(tmp_path):
    assert [row["LSTAT"] for row in written(tmp_path / "out.csv")] == ["0", "50", "25", "50"]


def test_what_california_does_not_know_stays_empty(tmp_path):
    for row in written(tmp_path / "out.csv"):
        assert {name for name, value in row.items() if value} == {"RM", "AGE", "LSTAT", "MEDV"}


def test_columns_that_are_missing_are_named(tmp_path):
    names = ["MedInc", "HouseAge", "Rooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"]
    with pytest.raises(UsageError, match=r"came without AveRooms; it has: MedInc, HouseAge, Rooms"):
        california.write_california(tmp_path / "out.csv", lambda: bunch(feature_names=names))


def test_no_rows_are_told(tmp_path):
    with pytest.raises(UsageError, match="without rows"):
        california.write_california(tmp_path / "out.csv", lambda: bunch(data=[], target=[]))


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        california.write_california(tmp_path / "no" / "out.csv", bunch)


def test_without_internet_the_way_out_is_told(monkeypatch, tmp_path):
    def refused():
        raise OSError("<urlopen error [Errno -2] Name or service not known>")

    # Stands for scikit-learn, whose import takes seconds.
    monkeypatch.setitem(sys.modules, "sklearn", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "sklearn.datasets", SimpleNamespace(fetch_california_housing=refused))
    with pytest.raises(UsageError, match=r"cannot be downloaded here: .*; make the CSV where there is internet"):
        california.write_california(tmp_path / "out.csv")


def test_the_command_says_what_to_do_next(monkeypatch, tmp_path):
    monkeypatch.setattr(california, "_fetch", bunch)
    out = tmp_path / "out.csv"
    ended = CliRunner().invoke(main, [str(out)])
    assert ended.exit_code == 0, ended.output
    assert ended.output.startswith(f"4 rows in {out}; next: sluiceway run housing --data {out}")
