"""Which directories are versions, and which are complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.server.version_dirs import scan


def plant(base: Path, *files: str) -> Path:
    for file in files:
        (base / file).parent.mkdir(parents=True, exist_ok=True)
        (base / file).write_text("x")
    return base


def test_only_positive_integers_are_versions(tmp_path):
    names = ["1", "20", "007", "-3", "0", "tmp-4", "5.tmp", "history.jsonl", "9" * 30]
    plant(tmp_path, *(f"{name}/saved_model.pb" for name in names))
    assert [item.version for item in scan(tmp_path)] == [1, 20]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (["1/saved_model.pb"], None),
        (["1/saved_model.pb", "1/variables/variables.index", "1/variables/variables.data-00000-of-00001"], None),
        (["1"], "is not a directory"),
        (["1/variables/variables.index"], "does not appear to contain a SavedModel bundle (should have a file called `saved_model.pb`)"),
        (["1/saved_model.pb", "1/variables/variables.index"], "variables/variables.data-* is missing"),
        (["1/saved_model.pb", "1/variables/variables.data-00000-of-00001"], "variables/variables.index is missing"),
        (
            ["1/saved_model.pb", "1/variables/variables.index", "1/variables/variables.data-00000-of-00002"],
            "variables/variables.data-00001-of-00002 is missing",
        ),
    ],
)
def test_an_incomplete_version_names_what_is_missing(tmp_path, files, problem):
    (item,) = scan(plant(tmp_path, *files))
    assert item.problem is None if problem is None else problem in (item.problem or "")


def test_the_fingerprint_follows_the_files(tmp_path):
    before = scan(plant(tmp_path, "1/saved_model.pb"))[0].fingerprint
    assert scan(tmp_path)[0].fingerprint == before
    (tmp_path / "1/saved_model.pb").write_text("longer")
    assert scan(tmp_path)[0].fingerprint != before


def test_a_missing_base_path_is_the_callers_problem(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        scan(tmp_path / "missing")
