"""The leaves are found without drawing them, and are drawn once."""

from __future__ import annotations

import sys

from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.leaves import data, drawing
from pipeline.use_cases.leaves.features import CLASSES


def test_they_are_called_synthetic():
    assert get_use_case("leaves").rows == f"{drawing.PER_KIND * len(CLASSES)} synthetic pictures"


def test_finding_them_imports_no_framework(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(drawing, "write", lambda folder: (folder / "drawn").touch())
    before = set(sys.modules)
    assert (data.source() / "drawn").exists()
    assert not {name.partition(".")[0] for name in set(sys.modules) - before} & {"tensorflow", "keras", "tfx"}
