"""What is told of a process's output while it runs, and its last words."""

from __future__ import annotations

import os

import pytest

from serving import stack_log
from serving.stack_log import ChildLog


@pytest.fixture
def log():
    opened = ChildLog()
    yield opened
    opened.close()


def write(log: ChildLog, text: str) -> None:
    log.file.write(text.encode())
    log.file.flush()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("2026-11-27 17:37:45,003 ERROR load of m version 1 failed", ["load of m version 1 failed"]),
        ("2026-11-27 17:37:45,003 WARNING it is slow", ["it is slow"]),
        ("2026-11-27 17:37:45,003 INFO loaded m version 2 in 1.01 s", ["loaded m version 2 in 1.01 s"]),
        ("2026-11-27 17:37:45,003 INFO TensorFlow ready", []),
        ("WARNING models.m: arm version 7 is not served", ["models.m: arm version 7 is not served"]),
        ('{"path": "/x WARNING y"}', []),
        ("Started server process [1]", []),
        ("", []),
    ],
)
def test_of_what_is_written_only_what_matters_is_news(log, line, told):
    write(log, line + "\n")
    assert log.news() == told
    assert log.news() == []


def test_half_a_line_waits_for_its_end(log):
    write(log, "WARNING one\nWARN")
    assert log.news() == ["one"]
    write(log, "ING two\n")
    assert log.news() == ["two"]


def test_a_line_without_an_end_does_not_hold_up_the_next(log):
    write(log, "x" * 200_000 + "\nWARNING after it\n")
    told = [line for _ in range(10) for line in log.news()]
    assert told == ["after it"]


def test_the_last_words_are_its_last_lines(log):
    assert log.tail() == "it said nothing"
    write(log, "\n".join(map(str, range(20))) + "\n\n")
    assert log.tail() == "12 / 13 / 14 / 15 / 16 / 17 / 18 / 19"


def test_what_was_read_does_not_fill_the_disk_and_the_last_words_stay(log, monkeypatch):
    monkeypatch.setattr(stack_log, "_MOST_BYTES", 1000)
    for number in range(3):
        write(log, f"{'x' * 900}\n" * 100 + f"WARNING {number}\n")
        assert log.news() == [str(number)]
        assert os.fstat(log.file.fileno()).st_size == 0
    assert log.tail().endswith("WARNING 2")
    write(log, "the end\n")
    assert log.news() == []
    assert log.tail().endswith("WARNING 2 / the end")
