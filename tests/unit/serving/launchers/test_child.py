"""What a child process inherits."""

from __future__ import annotations

import os
from pathlib import Path

from serving.launchers.child import child_environment


def test_a_child_gets_what_it_needs_and_no_secrets(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "2")
    passed = child_environment()
    assert "AWS_SECRET_ACCESS_KEY" not in passed
    assert passed["TF_NUM_INTRAOP_THREADS"] == "2"
    assert passed["PATH"] == os.environ["PATH"]


def test_a_child_serves_on_the_cpu_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert child_environment()["CUDA_VISIBLE_DEVICES"] == "-1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert child_environment()["CUDA_VISIBLE_DEVICES"] == "0"


def test_a_child_finds_this_package_first(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    first, *rest = child_environment()["PYTHONPATH"].split(os.pathsep)
    assert (Path(first) / "serving" / "launchers" / "child.py").is_file()
    assert rest == ["/elsewhere"]
