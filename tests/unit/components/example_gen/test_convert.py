"""A CSV file becomes typed columns by the schema; what cannot be read is kept with its place."""

from __future__ import annotations

import csv
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen import convert as module
from components.example_gen.check_csv import LONGEST_TEXT
from components.example_gen.convert import UNREADABLE, bucket_of, read_csv
from components.example_gen.reading import Reading
from configs.errors import UsageError

FLOAT, INT, BYTES = {"x": "FLOAT"}, {"x": "INT"}, {"x": "BYTES"}
WIDE = {"fare": "FLOAT", "hour": "INT", "company": "BYTES"}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("data") / "rows.csv"


def columns_of(path, text, types, rows=None):
    """What is read, as plain lists: a missing value is None."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    batch, _ = read_csv(path, Reading(types), rows)
    return {name: [value and value[0] for value in column.to_pylist()] for name, column in zip(batch.schema.names, batch, strict=True)}


def write_rows(path, columns, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([row[name] for name in columns] for row in rows)


@pytest.mark.parametrize(
    ("text", "types", "value"),
    [
        ("1", FLOAT, 1.0),
        ("1.5", FLOAT, 1.5),
        ("-2e3", FLOAT, -2000.0),
        ("+1", FLOAT, 1.0),
        (" 1 ", FLOAT, 1.0),
        ('"7"', FLOAT, 7.0),
        ("1", INT, 1),
        ("-9223372036854775807", INT, -9223372036854775807),
        ("9223372036854775807", INT, 9223372036854775807),
        ("Ünïcode ☃", BYTES, "Ünïcode ☃".encode()),
        ('"a, ""b"""', BYTES, b'a, "b"'),
        ('"two\nlines"', BYTES, b"two\nlines"),
        ("nan", BYTES, b"nan"),
        ("NULL", BYTES, b"NULL"),
    ],
)
def test_a_value_is_read_by_its_columns_type(path, text, types, value):
    assert columns_of(path, f"x\n{text}\n", types) == {"x": [value]}


@pytest.mark.parametrize("types", [FLOAT, INT, BYTES])
@pytest.mark.parametrize("text", ["", '""'])
def test_nothing_is_a_missing_value(path, text, types):
    # Beside another column: an empty line of a single one is no row.
    assert columns_of(path, f"x,y\n{text},1\n", {**types, "y": "INT"}) == {"x": [None], "y": [1]}


def test_missing_and_present_values_keep_their_rows(path):
    assert columns_of(path, "x,y\n1,a\n,b\n3,\n", {"x": "FLOAT", "y": "BYTES"}) == {"x": [1.0, None, 3.0], "y": [b"a", b"b", None]}


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("abc", FLOAT),
        ("1,5", FLOAT),
        ("12:30", FLOAT),
        ("TRUE", FLOAT),
        ("nan", FLOAT),
        ("NULL", FLOAT),
        ("inf", FLOAT),
        ("-Infinity", FLOAT),
        ("1e39", FLOAT),
        ("1e999", FLOAT),
        ("abc", INT),
        ("1.5", INT),
        ("1.0", INT),
        ("9223372036854775808", INT),
        ("1" * 40, INT),
    ],
)
def test_what_is_no_number_is_kept_with_file_and_line(path, text, types):
    found = columns_of(path, f'x\n1\n"{text}"\n3\n', types)
    assert found == {"x": [1, None, 3], "x" + UNREADABLE: [None, f"rows.csv line 3: {text!r}".encode(), None]}


def test_a_long_broken_value_is_told_by_its_beginning(path):
    found = columns_of(path, f"x\n{'z' * 1000}\n", FLOAT)
    assert found["x" + UNREADABLE] == [f"rows.csv line 2: {'z' * 80!r}".encode()]


def test_a_number_of_thousands_of_digits_is_none_and_zeros_before_one_are_nothing(path):
    # Beyond 4,300 digits Python refuses to read a text as a number.
    found = columns_of(path, f"x\n{'1' * 5000}\n{'0' * 5000}7\n-{'0' * 5000}8\n", INT)
    assert found == {"x": [None, 7, -8], "x" + UNREADABLE: [f"rows.csv line 2: {'1' * 80!r}".encode(), None, None]}


@pytest.mark.parametrize("letter", ["a", "ü", "😀"])
def test_the_longest_text_that_a_check_lets_pass_is_read(path, letter):
    # Arrow reads in blocks; a row that lies over the ends of two is told as an error.
    text = letter * LONGEST_TEXT
    assert columns_of(path, f"x,y\n1,a\n2,{text}\n3,b\n", {"x": "INT", "y": "BYTES"})["y"] == [b"a", text.encode(), b"b"]


def test_the_line_counts_the_breaks_inside_quoted_values(path):
    found = columns_of(path, 'company,fare\n"a\nb\nc",1\nd,bad\n"e\nf",worse\n', {"company": "BYTES", "fare": "FLOAT"})
    assert found["fare" + UNREADABLE] == [None, b"rows.csv line 5: 'bad'", b"rows.csv line 6: 'worse'"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_counts_empty_lines(path, end):
    found = columns_of(
        path, end.join(["fare,company", "", "1,a", "", "", '"2","b', 'c"', "", "bad,d", ""]), {"fare": "FLOAT", "company": "BYTES"}
    )
    assert found["fare" + UNREADABLE] == [None, None, b"rows.csv line 9: 'bad'"]


def test_where_the_lines_cannot_be_found_a_broken_value_is_told_by_its_row(path, monkeypatch):
    def refused(_):
        raise PermissionError

    monkeypatch.setattr(module, "_opened", refused)
    assert columns_of(path, "x\n1\n\nbad\n", INT)["x" + UNREADABLE] == [None, b"rows.csv row 2: 'bad'"]


def test_broken_values_of_one_column_leave_the_others_whole(path):
    found = columns_of(path, "fare,hour,company\nbad,1,a\n2,worse,b\n", WIDE)
    assert found["company"] == [b"a", b"b"]
    assert found["fare"] == [None, 2.0]
    assert found["hour"] == [1, None]
    assert set(found) == {*WIDE, "fare" + UNREADABLE, "hour" + UNREADABLE}


@pytest.mark.parametrize("text", ["x,y\r\n1,a\r\n", "\ufeffx,y\n1,a\n", "x,y\n1,a", 'x,y\n\n"1","a"\n\n', "y,x\na,1\n"])
def test_line_ends_marks_and_the_order_of_columns_do_not_matter(path, text):
    assert columns_of(path, text, {"x": "INT", "y": "BYTES"}) == {"x": [1], "y": [b"a"]}


def test_rows_are_taken_from_the_top(path):
    assert columns_of(path, "x\n1\n2\n3\n", INT, rows=2) == {"x": [1, 2]}
    assert columns_of(path, "x\n1\n2\n3\n", INT, rows=9) == {"x": [1, 2, 3]}


def test_a_header_alone_has_no_rows(path):
    assert columns_of(path, "x\n", INT) == {"x": []}


@pytest.mark.parametrize("text", ["x,y\n1\n", "x,y\n1,2,3\n", "x\n1\n", "", b"x,y\n\xff,1\n"])
def test_what_is_no_such_csv_is_one_line_that_names_the_file(path, text):
    with pytest.raises(UsageError) as caught:
        columns_of(path, text, {"x": "BYTES", "y": "INT"})
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


words = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=8)
fares = st.floats(-9, 9, width=16).map(repr) | st.just("")
table = st.lists(st.fixed_dictionaries({"fare": fares, "hour": st.integers(-9, 9).map(str), "company": words}), min_size=1, max_size=12)


@settings(max_examples=15, deadline=None)
@given(rows=table, order=st.permutations(list(WIDE)), seed=st.integers(0, 99))
def test_a_rows_bucket_knows_neither_its_place_nor_its_neighbours(path, rows, order, seed):
    write_rows(path, list(WIDE), rows)
    _, contents = read_csv(path, Reading(WIDE))
    assert len(contents) == len(rows)
    shuffled = random.Random(seed).sample(range(len(rows)), len(rows))
    write_rows(path, order, [rows[place] for place in shuffled])
    assert read_csv(path, Reading(WIDE))[1] == [contents[place] for place in shuffled]
    assert read_csv(path, Reading({name: WIDE[name] for name in order}))[1] == [contents[place] for place in shuffled]
    alone = shuffled[0]
    write_rows(path, order, [rows[alone]])
    assert read_csv(path, Reading(WIDE))[1] == [contents[alone]]


@settings(max_examples=15, deadline=None)
@given(rows=table)
def test_rows_that_differ_have_contents_that_differ(path, rows):
    write_rows(path, list(WIDE), rows)
    _, contents = read_csv(path, Reading(WIDE))
    assert len(set(contents)) == len({(row["fare"] and float(row["fare"]), row["hour"], row["company"]) for row in rows})


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("INT", ["7", "00007", "+7", " 7 ", '"7"']),
        ("FLOAT", ["7", "7.0", "007.", "70e-1", " 7 ", "+7"]),
        ("FLOAT", ["0", "-0.0", "0e9"]),
        ("FLOAT", ["0.1", "0.10", "0.1000000001", ".1"]),
    ],
)
@pytest.mark.parametrize("key", [None, "x"])
def test_a_value_in_many_writings_is_on_one_side(path, kind, texts, key):
    path.write_text("x,y\n" + "".join(f"{text},a\n" for text in texts), encoding="utf-8")
    assert len(set(read_csv(path, Reading({"x": kind, "y": "BYTES"}, key=key))[1])) == 1


def test_a_text_is_what_it_is_and_a_key_without_a_type_is_loose_with_numbers(path):
    texts = ["7", "007", "7.0", "+7", "7.", "-7", "-007.00", "7.5", "7a", "", "0", "000", "-"]
    path.write_text("x,k\n" + "".join(f"{number},{text}\n" for number, text in enumerate(texts)), encoding="utf-8")
    typed = read_csv(path, Reading({"x": "INT", "k": "BYTES"}, key="k"))[1]
    assert len(set(typed)) == len(texts)
    loose = read_csv(path, Reading({"x": "INT"}, key="k"))[1]
    assert loose == [b"7", b"7", b"7", b"7", b"7", b"-7", b"-7", b"7.5", b"7a", b"9", b"0", b"0", b"-"], "a row without a key: its content"


@settings(max_examples=15, deadline=None)
@given(values=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_every_number_comes_back_as_it_was(path, values):
    assert columns_of(path, "x\n" + "\n".join(map(repr, values)) + "\n", FLOAT) == {"x": values}


def test_one_broken_value_does_not_change_how_the_others_are_read(path):
    good = ["0.1", "1e-3", "7", " 2 ", "-0.0", "3.4028234e38"]
    alone = columns_of(path, "x\n" + "\n".join(good) + "\n", FLOAT)["x"]
    beside = columns_of(path, "x\n" + "\n".join([*good, "bad"]) + "\n", FLOAT)["x"]
    assert beside == [*alone, None]


@given(content=st.binary(), buckets=st.integers(1, 1000))
def test_a_bucket_is_one_of_them_and_always_the_same(content, buckets):
    assert 0 <= bucket_of(content, buckets) < buckets
    assert bucket_of(content, buckets) == bucket_of(bytes(content), buckets)


def test_buckets_are_filled_evenly():
    counts = [0, 0, 0]
    for row in range(3000):
        counts[bucket_of(f"row {row}".encode(), 3)] += 1
    assert all(math.isclose(count, 1000, rel_tol=0.1) for count in counts)


def test_a_bucket_is_the_same_in_every_release():
    # Rows that move from eval to train when the code changes would make models look better than they are.
    assert [bucket_of(content, 3) for content in (b"", b"1\x1f2", "ü".encode(), b"x" * 99)] == [1, 1, 2, 1]


def test_columns_are_read_by_their_names_in_the_file(path):
    reading = Reading({"fare": "FLOAT", "length": "INT"}, names={"length": "Chopstick.Length"})
    path.write_text("Chopstick.Length,fare\n240,2.5\nbad,3\n", encoding="utf-8")
    batch, keys = read_csv(path, reading)
    found = dict(zip(batch.schema.names, [column.to_pylist() for column in batch], strict=True))
    assert found == {
        "fare": [[2.5], [3.0]],
        "length": [[240], None],
        "length" + UNREADABLE: [None, [b"rows.csv line 3 column 'Chopstick.Length': 'bad'"]],
    }
    path.write_text("fare,length\n2.5,240\n3,bad\n", encoding="utf-8")
    assert read_csv(path, Reading(reading.columns))[1] == keys, "the key does not know what a column is called"


def test_where_columns_are_left_out_a_broken_value_is_told_by_its_line(path):
    path.write_text('x,y,y\n1,"a\nb",c\nbad,d,e\n', encoding="utf-8")
    batch, _ = read_csv(path, Reading({"x": "INT"}, ignore_extra=True))
    assert batch.to_pydict() == {"x": [[1], None], "x" + UNREADABLE: [None, [b"rows.csv line 4: 'bad'"]]}


@pytest.mark.parametrize("key", ["company", "person"])
def test_with_a_key_its_column_alone_decides_and_a_row_without_one_goes_by_its_content(path, key):
    path.write_text("fare,company,person\n1,a,a\n2,a,a\n3,,\n4,,\n", encoding="utf-8")
    batch, keys = read_csv(path, Reading({"fare": "FLOAT", "company": "BYTES"}, key=key, ignore_extra=True))
    # Of fractions the bits: those of 3.0 and 4.0.
    assert keys == [b"a", b"a", b"\x1f1077936128", b"\x1f1082130432"]
    assert batch.schema.names == ["fare", "company"], "what only splits is no feature"
