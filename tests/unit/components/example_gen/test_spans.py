"""Numbers in a place: the newest spans, each in its newest version, whatever zeros stand before them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.spans import has_spans, local_spans, newest, pattern_of
from configs.errors import UsageError


@pytest.fixture
def data(tmp_path):
    """Spans 2, 9 and 10, the first in three versions; and some that are being made."""
    for place in ("span-002/v1/a.csv", "span-002/v11/a.csv", "span-002/v9/a.csv", "span-9/v1/a.csv", "span-10/v02/b.csv"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).touch()
    (tmp_path / "span-11-draft" / "v1").mkdir(parents=True)
    (tmp_path / "span-12").mkdir()
    (tmp_path / "span-x").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "spans", "places"),
    [
        ("span-{SPAN}/v{VERSION}", 1, ["span-10/v02"]),
        ("span-{SPAN}/v{VERSION}/", 2, ["span-9/v1", "span-10/v02"]),
        ("span-{SPAN}/v{VERSION}/*.csv", None, ["span-002/v11/*.csv", "span-9/v1/*.csv", "span-10/v02/*.csv"]),
        ("span-{SPAN}/v{VERSION}/*.csv", 99, ["span-002/v11/*.csv", "span-9/v1/*.csv", "span-10/v02/*.csv"]),
        ("span-{SPAN}/v1", None, ["span-002/v1", "span-9/v1"]),
        ("span-{SPAN}", 1, ["span-10"]),
        ("sp*-{SPAN}/v1/?.csv", 1, ["span-9/v1/?.csv"]),
        ("span-{SPAN}/v1/a{VERSION}.csv", None, None),
    ],
)
def test_the_newest_spans_are_chosen_by_number(data, text, spans, places):
    if places is None:
        with pytest.raises(UsageError, match="no span is there"):
            local_spans(f"{data}/{text}", spans)
        return
    found = local_spans(f"{data}/{text}", spans)
    assert found.base == data
    assert found.places == tuple(f"{data}/{place}" for place in places)


@pytest.mark.parametrize("rest", ["", "/", "/*.csv", "/rows", "/*"])
@pytest.mark.parametrize("names", [["rows/_temporary/0/part.csv", ".rows.csv.swp"], ["rows/_SUCCESS"], ["rows/.part.csv"], []])
def test_a_span_with_only_what_its_writer_keeps_for_itself_is_not_there_yet(tmp_path, rest, names):
    for number, inside in ((1, ["rows/a.csv", "a.csv"]), (2, names)):
        (tmp_path / f"span-{number}" / "rows").mkdir(parents=True)
        for name in inside:
            # Where the span itself is the folder of the rows, they lie in it.
            place = tmp_path / f"span-{number}" / (name if rest in ("/rows", "/*") else name.removeprefix("rows/"))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        if rest not in ("/rows", "/*"):
            (tmp_path / f"span-{number}" / "rows").rmdir()
    assert local_spans(f"{tmp_path}/span-{{SPAN}}{rest}", 1).places == (f"{tmp_path}/span-1{rest}".rstrip("/"),)


def test_a_pattern_may_ask_for_names_that_are_set_aside(tmp_path):
    (tmp_path / "span-1").mkdir()
    (tmp_path / "span-1" / "_rows.csv").touch()
    for rest in ("_*.csv", "_rows.csv"):
        assert local_spans(f"{tmp_path}/span-{{SPAN}}/{rest}", 1).places == (f"{tmp_path}/span-1/{rest}",)


def test_a_span_may_be_a_file(tmp_path):
    for number in ("08", "9", "10"):
        (tmp_path / f"trips-{number}.csv").touch()
    assert local_spans(f"{tmp_path}/trips-{{SPAN}}.csv", 2).places == (f"{tmp_path}/trips-9.csv", f"{tmp_path}/trips-10.csv")


def test_a_folder_whose_name_looks_like_a_pattern_is_that_folder(tmp_path):
    (tmp_path / "a [1]" / "span-1").mkdir(parents=True)
    (tmp_path / "a [1]" / "span-1" / "x.csv").touch()
    (place,) = local_spans(f"{tmp_path}/a [1]/span-{{SPAN}}/*.csv", 1).places
    assert place == f"{tmp_path}/a [[]1]/span-1/*.csv"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{SPAN}/{SPAN}", "expected one {SPAN} and at most one {VERSION}"),
        ("v{VERSION}", "expected one {SPAN} and at most one {VERSION}"),
        ("day-{SPAN}", "no span is there: nothing fits 'day-{SPAN}' below "),
        ("none/day-{SPAN}", "no span is there"),
    ],
)
def test_no_span_is_one_line(data, text, told):
    with pytest.raises(UsageError) as caught:
        local_spans(f"{data}/{text}", 1)
    assert told in str(caught.value)
    assert str(caught.value).startswith(f"data {f'{data}/{text}'!r}: ")


@pytest.mark.parametrize("places", [("span-1", "span-01"), ("span-1/v2", "span-1/v02")])
def test_one_number_in_two_writings_is_told(tmp_path, places):
    for place in places:
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "x.csv").touch()
    with pytest.raises(UsageError, match="the same number stands there twice"):
        local_spans(f"{tmp_path}/span-{{SPAN}}{'/v{VERSION}' if '/' in places[0] else ''}", 1)


@given(numbers=st.sets(st.integers(0, 10**6), min_size=1, max_size=20), spans=st.integers(1, 25))
def test_it_is_always_the_largest_numbers(numbers, spans):
    pattern = pattern_of("s{SPAN}")
    found = newest({f"s{number:03d}": pattern.fullmatch(f"s{number:03d}") for number in numbers}, spans)
    assert [int(place[1:]) for place in found] == sorted(numbers)[-spans:]


@pytest.mark.parametrize(
    ("text", "place", "fits"),
    [
        ("a/*.csv", "a/x.csv", True),
        ("a/*.csv", "a/b/x.csv", False),
        ("a/**/*.csv", "a/b/c/x.csv", True),
        ("[!x].csv", "x.csv", False),
        ("a.csv", "aXcsv", False),
        ("?.csv", "x.csv", False),
        ("s{SPAN}/v{VERSION}", "s01/v2", True),
        ("s{SPAN}", "s1x", False),
    ],
)
def test_a_pattern_stays_in_its_folder(text, place, fits):
    assert (pattern_of(text).fullmatch(place) is not None) is fits


def test_only_a_place_with_numbers_has_spans():
    assert [has_spans(text) for text in ("span-{SPAN}", "v{VERSION}", "{span}", "a.csv")] == [True, True, False, False]
