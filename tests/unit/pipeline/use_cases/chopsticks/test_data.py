"""The synthetic chopsticks rows are the same every time, and look like the study's table."""

from __future__ import annotations

import csv
import statistics
from pathlib import Path

import pytest

from components.example_gen.source import check_source
from configs.load import load_settings
from pipeline.data import use_case_reading
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.chopsticks import data

# The study's own rows are no part of the project: they may stand beside a checkout.
REAL = Path(__file__).resolve().parents[6] / "shared" / "data" / "chopsticks.csv"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def rows():
    return data.synthetic_rows()


def by_length(rows):
    return {length: [efficiency for efficiency, _, each in rows if each == length] for length in data.LENGTHS}


def test_they_are_made_the_same_every_time(rows):
    assert data.synthetic_rows() == rows


def test_their_file_says_that_they_are_synthetic(rows):
    path = data.source()
    assert "synthetic" in str(path)
    with path.open(newline="") as file:
        header, *written = csv.reader(file)
    assert tuple(header) == data.COLUMNS
    assert [tuple(map(float, row)) for row in written] == rows


def test_every_person_tries_every_length_equally_often(rows):
    assert len(rows) == data.PEOPLE * data.TRIES * len(data.LENGTHS) == 1116
    assert len({(individual, length) for _, individual, length in rows}) == data.PEOPLE * len(data.LENGTHS)


def test_the_best_length_is_where_it_was_put(rows):
    means = {length: statistics.mean(values) for length, values in by_length(rows).items()}
    assert max(means, key=means.__getitem__) == data.BEST_LENGTH
    assert means[240] - means[330] > 2


def test_people_differ_more_than_lengths_do(rows):
    people = [statistics.mean(value for value, each, _ in rows if each == individual) for individual in range(1, data.PEOPLE + 1)]
    lengths = [statistics.mean(values) for values in by_length(rows).values()]
    assert statistics.stdev(people) > statistics.stdev(lengths)


def test_efficiencies_are_within_the_schemas_domain(rows):
    assert all(0 < efficiency < 100 for efficiency, _, _ in rows)


def check(path):
    return check_source(str(path), use_case_reading(get_use_case("chopsticks"), load_settings("chopsticks")))


def test_the_rows_that_ship_fit_the_schema():
    assert check(data.source()).files[0].name == "synthetic.csv"


def test_the_studys_own_file_fits_the_schema_as_it_is():
    if not REAL.is_file():
        pytest.skip(f"not on this stack: the study's file is not at ../shared/data/{REAL.name}")
    assert check(REAL).files == (REAL,)
