"""How a command ends: its code, one line for a mistake, one JSON document for a program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from configs.errors import ConfigError, ExitCode, SluicewayError
from pipeline.errors import NodeFailed, RunUnderWay
from serving.cli_frame import json_option, print_json, run_command, settings_options
from serving.errors import BadRequest, LaunchError, ModelNotFound, NotPublished, StoreFull, Unavailable, VersionDamaged


def command_that(action):
    @click.command()
    @json_option
    def command(as_json):  # noqa: ARG001 - the frame reads the option itself
        return action()

    return command


def fail_with(error):
    def action():
        raise error

    return action


def ended(command, *arguments):
    """The exit code."""
    with pytest.raises(SystemExit) as caught:
        run_command(command, arguments)
    return caught.value.code


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (ExitCode.DONE, 0), (ExitCode.REFUSED, 3), (4, 4), ("text", 0)])
def test_a_command_ends_with_the_code_it_gives_back(capsys, result, code):
    assert ended(command_that(lambda: result)) == code
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SluicewayError("x"), 1),
        (ConfigError("x"), 2),
        (NotPublished("x"), 2),
        (RunUnderWay("x"), 2),
        (BadRequest("x", code="INVALID_ARGUMENT"), 2),
        (ModelNotFound("x", code="NOT_FOUND"), 2),
        (Unavailable("x", code="UNAVAILABLE"), 1),
        (StoreFull("x"), 1),
        (VersionDamaged("x"), 1),
        (LaunchError("x"), 1),
        (NodeFailed("x", node="Trainer"), 1),
        (NodeFailed("x", node="Trainer", exit_code=ExitCode.USAGE), 2),
        (click.UsageError("x"), 2),
        (click.BadParameter("x"), 2),
        (click.exceptions.Exit(7), 7),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_an_error_ends_a_command_with_its_own_code(error, code):
    assert ended(command_that(fail_with(error))) == code


@pytest.mark.parametrize(
    ("module", "extra"), [("grpc", "client"), ("uvicorn", "server"), ("tensorflow.core", "pipeline"), ("tfx", "pipeline")]
)
def test_a_missing_extra_is_told_with_the_way_to_get_it(capsys, module, extra):
    assert ended(command_that(fail_with(ModuleNotFoundError(f"No module named {module!r}", name=module)))) == 2
    assert capsys.readouterr().err == f"sluiceway: this needs {module}, which is not installed: pip install 'sluiceway[{extra}]'\n"


def test_any_other_missing_module_is_our_own_mistake():
    with pytest.raises(ModuleNotFoundError):
        run_command(command_that(fail_with(ModuleNotFoundError("No module named 'serving.moon'", name="serving.moon"))), [])


def test_a_mistake_is_one_line_on_stderr(capsys):
    ended(command_that(fail_with(ConfigError("a.yaml: key: wrong"))))
    assert capsys.readouterr() == ("", "sluiceway: a.yaml: key: wrong\n")


@pytest.mark.parametrize("arguments", [("--nope",), ("extra",)])
def test_a_wrong_call_is_one_line_on_stderr(capsys, arguments):
    assert ended(command_that(lambda: 0), *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("sluiceway: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "document"),
    [
        (ConfigError("wrong"), {"kind": "ConfigError", "message": "wrong", "exit_code": 2}),
        (StoreFull("full"), {"kind": "StoreFull", "message": "full", "exit_code": 1}),
        (KeyboardInterrupt(), {"kind": "Interrupted", "message": "interrupted", "exit_code": 130}),
    ],
)
def test_with_json_an_error_is_one_document_too(capsys, error, document):
    ended(command_that(fail_with(error)), "--json")
    assert json.loads(capsys.readouterr().out) == {"error": document}


def test_a_document_is_whole_and_readable(capsys):
    print_json({"text": "Ü\n", "number": 0.1, "nothing": None, "path": Path("a/b"), "list": [1, True]})
    assert json.loads(capsys.readouterr().out) == {"text": "Ü\n", "number": 0.1, "nothing": None, "path": "a/b", "list": [1, True]}


def refuse_constant(name):
    raise AssertionError(f"{name} is not JSON")


def test_a_document_is_strict_json(capsys):
    print_json({"nan": float("nan"), "deep": [{"inf": float("inf")}, (float("-inf"), 1.5)]})
    document = json.loads(capsys.readouterr().out, parse_constant=refuse_constant)
    assert document == {"nan": None, "deep": [{"inf": None}, [None, 1.5]]}


def test_settings_options_gather_environment_and_overrides(capsys):
    @click.command()
    @settings_options
    def command(environment, overrides):
        print(environment, overrides)

    ended(command, "--env", "smoke", "--set", "a=1", "--set", "b=x y")
    ended(command)
    assert capsys.readouterr().out == "smoke ('a=1', 'b=x y')\nlocal ()\n"


def test_a_reader_that_goes_away_is_no_traceback():
    script = (
        "import click\n"
        "from serving.cli_frame import run_command\n"
        "@click.command()\n"
        "def many():\n"
        "    for number in range(100_000):\n"
        "        click.echo(number)\n"
        "run_command(many, [])\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=-1, stderr=-1, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1
