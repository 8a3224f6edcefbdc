"""What may be deleted when a launch ends, and when a process counts as gone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from serving.server.orphan import MARKER, removable, remove_directory, wait_until_gone


def test_only_a_marked_directory_under_the_temporary_one_is_removed():
    with tempfile.TemporaryDirectory() as root:
        launch, other = Path(root) / "launch", Path(root) / "other"
        for folder in (launch, other):
            folder.mkdir()
        (launch / MARKER).touch()
        assert not removable(other)
        remove_directory(other)
        remove_directory(launch)
        assert other.is_dir()
        assert not launch.exists()


def test_a_directory_elsewhere_is_left_alone():
    assert not removable(Path(__file__).parent)


def test_links_are_not_followed():
    with tempfile.TemporaryDirectory() as root:
        launch, model = Path(root) / "launch", Path(root) / "model"
        for folder in (launch, model):
            folder.mkdir()
        (model / "saved_model.pb").touch()
        (launch / MARKER).touch()
        (launch / "1").symlink_to(model)
        remove_directory(launch)
        assert not launch.exists()
        assert (model / "saved_model.pb").is_file()


def test_the_end_of_a_process_is_noticed():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        process.communicate(b"\n")
    wait_until_gone(process.pid)
