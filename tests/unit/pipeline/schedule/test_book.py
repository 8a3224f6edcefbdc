"""Schedules on the disk: whole or not at all, told apart from what is none, one scheduler at a time."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timezone

import pytest
from msgspec.structs import replace

from configs.errors import UsageError
from pipeline.schedule.base import Schedule
from pipeline.schedule.book import Book, Damaged, Entry

ENTRY = Entry(schedule=Schedule("taxi", "taxi", "0 3 * * *", overrides=("a=1",)), next_run=datetime(2026, 1, 1, tzinfo=timezone.utc))


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path / "state" / "schedules")


def test_what_is_put_is_read_back(book):
    book.put("taxi", lambda _: ENTRY)
    assert book.read("taxi") == ENTRY
    assert book.names() == ["taxi"]
    assert book.change("taxi", lambda entry: replace(entry, asked=True)) == replace(ENTRY, asked=True)
    assert book.read("taxi").asked
    assert book.remove("taxi")
    assert (book.read("taxi"), book.names(), book.remove("taxi")) == (None, [], False)


def test_reading_makes_no_folder(book):
    assert (book.names(), book.read("taxi"), book.remove("taxi"), book.is_held()) == ([], None, False, False)
    assert not book.folder.exists()


def test_a_change_of_nothing_that_is_there_is_none(book):
    assert book.change("taxi", lambda entry: entry) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "truncated"),
        ("{", "truncated"),
        ("[]", "Expected `object`"),
        ('{"schedule": {"name": "taxi"}}', "missing required field"),
        ("\xff", "not a schedule"),
    ],
)
def test_a_damaged_document_is_one_line_that_names_it(book, text, told):
    book.put("taxi", lambda _: ENTRY)
    (book.folder / "taxi.json").write_text(text, encoding="latin-1")
    for act in (lambda: book.read("taxi"), lambda: book.change("taxi", lambda entry: entry)):
        with pytest.raises(Damaged) as caught:
            act()
        assert str(book.folder / "taxi.json") in str(caught.value)
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("old", "new"), [("0 3 * * *", "0 99 * * *"), ('"UTC"', '"Mars"')])
def test_a_value_that_a_hand_made_wrong_is_damage_too(book, old, new):
    book.put("taxi", lambda _: ENTRY)
    path = book.folder / "taxi.json"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(Damaged, match=r"taxi\.json"):
        book.read("taxi")


def test_a_file_that_is_not_named_like_its_schedule_is_damage(book):
    book.put("taxi", lambda _: ENTRY)
    (book.folder / "taxi.json").rename(book.folder / "other.json")
    with pytest.raises(Damaged, match=r"other\.json: holds the schedule 'taxi'; rename it to taxi\.json"):
        book.read("other")
    book.put("taxi", lambda _: ENTRY)
    with pytest.raises(Damaged, match=r"holds the schedule 'taxi'; delete it"):
        book.read("other")
    assert (book.remove("other"), book.names()) == (True, ["taxi"])


def test_a_write_that_fails_leaves_the_old_document_and_nothing_else(book, no_space):
    book.put("taxi", lambda _: ENTRY)
    with no_space(), pytest.raises(UsageError, match=r"schedules: cannot be written: No space left on device"):
        book.change("taxi", lambda entry: replace(entry, asked=True))
    assert book.read("taxi") == ENTRY
    assert [path.name for path in book.folder.iterdir() if path.name.endswith("partial")] == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "state").write_text("a file", encoding="utf-8")
    book = Book(tmp_path / "state" / "schedules")
    with pytest.raises(UsageError, match="cannot be written: Not a directory"):
        book.put("taxi", lambda _: ENTRY)
    with pytest.raises(UsageError, match="cannot be written"), book.held():
        pass


def test_a_second_scheduler_is_refused_in_one_line(book):
    hold = (
        "from pathlib import Path; from pipeline.schedule.book import Book\n"
        f"with Book(Path({str(book.folder)!r})).held(): print('held', flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "held\n"
        assert book.is_held()
        with pytest.raises(UsageError, match=r"another `sluiceway schedule start` runs the schedules of .*; one is enough"), book.held():
            pass
        first.kill()
    assert not book.is_held()
    with book.held():
        pass
