"""What stands around a run: nobody beside it, and a full disk told as what it is."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from configs.errors import UsageError
from pipeline.errors import RunUnderWay
from pipeline.guards import alone, disk_errors, own_temporary_folder
from pipeline.layout import Layout
from serving.errors import StoreError

HOLD = """
import sys
from pathlib import Path
from pipeline.guards import alone
from pipeline.layout import Layout
with alone(Layout(Path(sys.argv[1]), Path(sys.argv[1]) / "store", "taxi")):
    print("held", flush=True)
    sys.stdin.read()
"""


def layout_in(folder, use_case="taxi"):
    return Layout(folder, folder / "store", use_case)


def test_a_second_process_is_refused_until_the_first_ends(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd=Path(__file__).parents[3]) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunUnderWay, match="another run of taxi is under way in") as caught, alone(layout_in(tmp_path)):
            pass
        assert str(tmp_path) in str(caught.value)
        # Killed, not ended: the kernel frees the lock.
        other.kill()
    with alone(layout_in(tmp_path)):
        pass


@pytest.mark.parametrize(("folder", "use_case"), [("one", "bikes"), ("other", "taxi")])
def test_other_use_cases_and_other_folders_do_not_wait(tmp_path, folder, use_case):
    with alone(layout_in(tmp_path / "one")), alone(layout_in(tmp_path / folder, use_case)):
        pass


def test_an_error_inside_frees_the_lock(tmp_path):
    with pytest.raises(KeyError), alone(layout_in(tmp_path)):
        raise KeyError
    with alone(layout_in(tmp_path)):
        pass


def test_a_folder_that_cannot_be_made_is_the_callers_mistake(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be made: Not a directory"), alone(layout_in(tmp_path / "file")):
        pass


def test_temporary_files_go_to_the_runs_own_folder_and_are_gone_at_the_end(tmp_path):
    left = tmp_path / "killed" / "tmp" / "sluiceway-launch-x"
    left.mkdir(parents=True)
    before = tempfile.gettempdir()
    with own_temporary_folder(tmp_path / "run"):
        made = Path(tempfile.mkdtemp())
        assert made.parent == tmp_path / "run" / "tmp" == Path(os.environ["TMPDIR"])
    assert not made.exists()
    assert not left.exists(), "what a killed run left goes, too"
    assert tempfile.gettempdir() == before


def chained(text, cause):
    error = RuntimeError(text)
    error.__cause__ = cause
    return error


def during(text, context):
    error = RuntimeError(text)
    error.__context__ = context
    return error


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("RESOURCE_EXHAUSTED; /x; No space left on device [while running 'Write']"),
        RuntimeError("(sqlite3.OperationalError) database or disk is full"),
        chained("Trainer failed", FULL),
        during("Trainer failed", FULL),
        chained("outer", during("inner", chained("innermost", FULL))),
        StoreError("no ledger: No space left on device"),
    ],
)
def test_a_full_disk_is_told_as_one_whichever_library_met_it(tmp_path, error):
    with pytest.raises(UsageError, match=r"no space left on the disk of .* MiB free") as caught, disk_errors(tmp_path):
        raise error
    assert str(tmp_path) in str(caught.value)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [OSError(errno.EACCES, "Permission denied"), RuntimeError("shape mismatch"), StoreError("broken"), KeyboardInterrupt()]
)
def test_any_other_error_stays_what_it_is(tmp_path, error):
    with pytest.raises(type(error)) as caught, disk_errors(tmp_path):
        raise error
    assert caught.value is error


def test_without_an_error_nothing_happens(tmp_path):
    with disk_errors(tmp_path):
        pass
