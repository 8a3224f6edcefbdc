"""What C++ code writes to stderr is lost for a moment, and only then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from serving.server.runtime import silence


def test_nothing_of_the_block_is_seen_and_everything_around_it_is(capfd):
    os.write(2, b"before ")
    with silence.stderr():
        os.write(2, b"inside ")
        os.write(1, b"an answer")
    os.write(2, b"after")
    assert capfd.readouterr() == ("an answer", "before after")


def test_stderr_is_back_after_an_error_and_no_descriptor_is_left(capfd):
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(ValueError, match="inside"), silence.stderr():
        raise ValueError("inside")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
