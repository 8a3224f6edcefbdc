"""What cannot be launched at all is the caller's mistake."""

from __future__ import annotations

import pytest

from serving.errors import LaunchError
from serving.launchers.candidate import check


def test_a_folder_under_a_plain_name_is_fine(tmp_path):
    check(tmp_path, "taxi_2.b-c")


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "a b", "a;b"])
def test_a_name_that_would_lead_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(LaunchError, match="is no model name"):
        check(tmp_path, name)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(LaunchError, match="gone is not a directory"):
        check(tmp_path / "gone", "taxi")
