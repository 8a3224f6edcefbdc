"""A use case is named, or lies in a folder that is given by its path."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from configs.places import checked_name, is_path, own_folder


@pytest.mark.parametrize(
    ("text", "path"), [("taxi", False), ("./mine", True), ("a/mine", True), (".", True), ("~/mine", True), ("", False)]
)
def test_a_path_is_told_from_a_name(text, path):
    assert is_path(text) is path


@pytest.mark.parametrize("name", ["Mine", "1mine", "my-model", "my model", "", "..", "mine.py", "class", "json", "_mine"])
def test_a_name_that_is_no_packages_name_is_refused(name):
    with pytest.raises(UsageError, match="is no name for a use case"):
        checked_name(name)


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (None, "there is no such folder; make one: sluiceway init mine --like taxi"),
        (["mine.yaml"], "__init__.py is missing"),
        (["__init__.py"], "mine.yaml is missing"),
    ],
)
def test_a_folder_that_holds_no_use_case_is_one_line(tmp_path, files, line):
    folder = tmp_path / "mine"
    if files is not None:
        folder.mkdir()
        for name in files:
            (folder / name).touch()
    with pytest.raises(UsageError, match=line):
        own_folder(str(folder))
