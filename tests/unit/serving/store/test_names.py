"""What may name a model or a version."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from serving.store.names import checked_model, next_version, version_number


@pytest.mark.parametrize("name", ["taxi", "T", "_private", "taxi-2.1", "a" * 63, "a..b"])
def test_a_model_may_be_called(name):
    assert checked_model(name) == name


@pytest.mark.parametrize("name", ["", "1", "1taxi", "-a", ".a", "..", "a/b", "a\\b", "a b", "a\n", "é", "a" * 64])
def test_a_model_may_not_be_called(name):
    with pytest.raises(UsageError, match="letters, digits") as caught:
        checked_model(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize(("folder", "number"), [("1", 1), ("10", 10), ("1700000000", 1_700_000_000), ("9" * 18, int("9" * 18))])
def test_a_positive_integer_is_a_version(folder, number):
    assert version_number(folder) == number


@pytest.mark.parametrize(
    "folder", ["0", "01", "-1", "+1", "1.0", "1 ", " 1", "1\n", "", "v1", ".staging-2-abc", "history.jsonl", "1" * 20, "١"]
)
def test_anything_else_is_not(folder):
    assert version_number(folder) is None


@pytest.mark.parametrize(
    ("present", "ever_used", "number"),
    [([], 0, 1), ([1, 2], 2, 3), ([1], 5, 6), ([], 5, 6), ([7], 2, 8), ([10, 9], 0, 11)],
)
def test_the_next_version_is_above_all_that_ever_were(present, ever_used, number):
    assert next_version(present, ever_used) == number
