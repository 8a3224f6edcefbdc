"""Where Beam's workers see a step's files."""

from __future__ import annotations

import pytest

from pipeline.step_workers import Workers


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "given"
    made.mkdir()
    (made / "rows").write_text("1", encoding="utf-8")
    return made


def test_workers_of_this_machine_see_its_folders(folder, tmp_path):
    workers = Workers(tmp_path / "home")
    assert workers.shown("in", "examples", folder) == str(folder)
    assert workers.outputs({"model": str(tmp_path / "model")}) == {"model": tmp_path / "model"}
    assert workers.temporary is None


def test_workers_elsewhere_write_below_the_state_folder(tmp_path):
    assert Workers(tmp_path, elsewhere=True).outputs({"model": "/container/model"}) == {"model": tmp_path / "out" / "model"}


def test_workers_that_see_a_bucket_alone_find_everything_there_and_it_is_gone_afterwards(folder, tmp_path):
    bucket = tmp_path / "bucket"
    workers = Workers(tmp_path / "home", bucket=bucket.as_uri(), elsewhere=True)
    with workers.place():
        assert workers.shown("in", "examples", folder) == f"{bucket.as_uri()}/in/examples"
        assert (bucket / "in" / "examples" / "rows").read_text(encoding="utf-8") == "1"
        (bucket / "out" / "statistics").mkdir(parents=True)
        (bucket / "out" / "statistics" / "made").write_text("2", encoding="utf-8")
        workers.brought_back("out", "statistics", tmp_path / "back")
    assert (tmp_path / "back" / "made").read_text(encoding="utf-8") == "2"
    assert workers.temporary == f"{bucket.as_uri()}/tmp"
    assert not bucket.exists()
