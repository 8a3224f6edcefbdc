"""Names that every scheduler can keep."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from pipeline.schedule.base import checked_name, default_name


@pytest.mark.parametrize("name", ["taxi", "a", "taxi-2", "0", "x" * 52])
def test_a_dns_label_is_a_name(name):
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", "Taxi", "taxi_fares", "-taxi", "taxi-", "a.b", "../up", "x" * 53, "taxi\n"])
def test_anything_else_is_none(name):
    with pytest.raises(UsageError, match="schedule name"):
        checked_name(name)


def test_the_use_cases_name_becomes_one():
    assert checked_name(default_name("Taxi_Fares")) == "taxi-fares"
    assert checked_name(default_name("/srv/my_model")) == "my-model"
