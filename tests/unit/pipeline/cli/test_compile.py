"""``compile``: what it writes and says. The compiler's work is shown in tests/integration."""

from __future__ import annotations

import json
import os
import sys
from types import ModuleType

import pytest

from pipeline.cli.main import main


def leave(code):
    """In the place of os._exit, which would end the tests too where another one has imported TensorFlow."""
    raise SystemExit(code)


@pytest.fixture
def ended(monkeypatch, capfd, tmp_path):
    """Runs ``compile`` in an empty folder with a compiler that gives out its settings: (exit code, stdout, stderr)."""
    monkeypatch.setattr(sys, "argv", ["sluiceway"])
    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.chdir(tmp_path)
    compiler = ModuleType("pipeline.kubeflow.compile")

    def compile_pipeline(settings):
        os.write(1, b"noise of a library\n")
        return f"{settings.environment_name} {settings.environment.kubeflow.image}\n"

    compiler.compile_pipeline = compile_pipeline
    monkeypatch.setitem(sys.modules, "pipeline.kubeflow.compile", compiler)

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(["compile", "taxi", *arguments])
        return caught.value.code, *capfd.readouterr()

    return run


def test_it_compiles_for_kubeflow_into_a_file_of_the_use_cases_name(ended, tmp_path):
    code, out, err = ended()
    assert (code, err) == (0, "")
    assert (tmp_path / "taxi.yaml").read_text(encoding="utf-8") == "kubeflow sluiceway/pipeline:0.1.0\n"
    assert out.startswith("COMPILED taxi.yaml (1 lines, sha256 ")
    assert "next sluiceway submit taxi --file taxi.yaml --watch" in out


def test_the_same_again_is_unchanged(ended):
    ended("-o", "x.yaml")
    assert ended("-o", "x.yaml")[1].startswith("UNCHANGED x.yaml")
    document = json.loads(ended("-o", "x.yaml", "--json", "--set", "kubeflow.image=a@sha256:b")[1])
    assert (document["changed"], document["image"], document["file"]) == (True, "a@sha256:b", "x.yaml")


def test_what_cannot_work_on_a_cluster_writes_nothing(ended, tmp_path):
    code, _, err = ended("--set", "store.path=/elsewhere")
    assert code == 2
    assert "lies on no volume" in err
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_no_folder_is_told_before_the_work(ended):
    code, _, err = ended("-o", "nowhere/taxi.yaml")
    assert (code, "there is no folder" in err) == (2, True)


def test_what_comes_next_is_in_the_same_environment(ended):
    assert "next sluiceway submit taxi --env dataflow --file taxi.yaml --watch" in ended("--env", "dataflow")[1]
