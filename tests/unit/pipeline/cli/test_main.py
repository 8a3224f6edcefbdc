"""The command line as a whole: every command is there, has help, and is imported only when it is called."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys

import click
import pytest

from pipeline.cli import main as main_module
from pipeline.cli.main import COMMANDS, main
from serving.cli import COMMANDS as SERVING_COMMANDS


def leave(code):
    """In the place of os._exit, which would end the tests too where another one has imported TensorFlow."""
    raise SystemExit(code)


@pytest.fixture
def ended(monkeypatch, capsys):
    """Runs the command line: (exit code, stdout, stderr)."""
    monkeypatch.setattr(sys, "argv", ["sluiceway"])
    monkeypatch.setattr(os, "_exit", leave)

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(list(arguments))
        return caught.value.code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_every_command_with_what_it_is_for(ended, arguments):
    code, out, err = ended(*arguments)
    assert (code, err) == (0, "")
    for name, (_, short) in COMMANDS.items():
        assert f"{name} " in out
        assert short in " ".join(out.split())
    assert "Exit codes: 0 done, 1 failure, 2 usage" in " ".join(out.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(ended, name):
    code, out, _ = ended(name, "--help")
    assert code == 0
    assert f"sluiceway {name}" in out.partition("Example:")[2]
    assert len(out.splitlines()) < 40


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says(name):
    module, _, attribute = COMMANDS[name][0].partition(":")
    assert isinstance(getattr(importlib.import_module(module), attribute), click.Command)


def test_the_verbs_of_the_serving_side_are_among_them():
    assert SERVING_COMMANDS.items() <= COMMANDS.items()


def test_an_unknown_command_is_the_callers_mistake(ended):
    assert ended("fly") == (2, "", "sluiceway: No such command 'fly'.\n")


def test_an_unknown_command_is_one_document_with_json(ended):
    code, out, _ = ended("fly", "--json")
    assert code == json.loads(out)["error"]["exit_code"] == 2


def test_the_version_is_told(ended):
    code, out, _ = ended("--version")
    assert code == 0
    assert out.startswith("sluiceway ")


def test_the_processs_arguments_are_read_and_taken_away(monkeypatch, capsys):
    # Apache Beam would read what is left as options of its own.
    monkeypatch.setattr(sys, "argv", ["sluiceway", "--version"])
    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith("sluiceway ")
    assert sys.argv == ["sluiceway"]


@pytest.mark.parametrize(("module", "unwinds"), [("sys", False), ("no_such_module", True)])
def test_tensorflows_threads_are_not_waited_for(monkeypatch, module, unwinds):
    left = []
    monkeypatch.setattr(sys, "argv", ["sluiceway"])
    monkeypatch.setattr(os, "_exit", left.append)
    # Not by taking the real one away: another test's threads may be importing it.
    assert main_module._SLOW_TO_UNWIND == "tensorflow"
    monkeypatch.setattr(main_module, "_SLOW_TO_UNWIND", module)
    with contextlib.ExitStack() as stack:
        if unwinds:
            stack.enter_context(pytest.raises(SystemExit))
        main(["fly"])
    assert left == ([] if unwinds else [2])
