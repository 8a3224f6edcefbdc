"""The complaints golden rows reach the edges."""

from __future__ import annotations

from pipeline.use_cases.complaints.evaluation import GOLDEN_ROWS
from pipeline.use_cases.complaints.features import MAX_WORDS


def texts():
    return [value if isinstance(value, bytes) else value.encode() for row in GOLDEN_ROWS if (value := row["narrative"]) is not None]


def is_utf8(text: bytes) -> bool:
    return text.decode(errors="replace").encode() == text


def test_the_rows_differ():
    assert len({tuple(row.items()) for row in GOLDEN_ROWS}) == len(GOLDEN_ROWS)


def test_no_text_one_without_words_and_one_longer_than_what_counts_are_among_them():
    assert any(row["narrative"] is None for row in GOLDEN_ROWS)
    assert any(not any(chr(byte).isalnum() for byte in text) for text in texts())
    assert max(len(text.split()) for text in texts()) > 10 * MAX_WORDS


def test_other_scripts_and_bytes_that_are_no_text_are_among_them():
    assert any(is_utf8(text) and not text.isascii() for text in texts())
    assert any(not is_utf8(text) for text in texts())


def test_words_that_no_vocabulary_holds_are_among_them():
    assert "Teleportation" in [row["product"] for row in GOLDEN_ROWS]


def test_one_row_has_a_product_and_nothing_else():
    assert [row for row in GOLDEN_ROWS if all((value is None) == (name != "product") for name, value in row.items())]
