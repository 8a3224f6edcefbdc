"""How every command ends: one line for a person's mistake, one JSON document for a program, a distinct exit code."""

from __future__ import annotations

import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import click

from configs.errors import ExitCode, SluicewayError

# Which extra brings a module that a plain installation lacks.
_EXTRAS = {
    **dict.fromkeys(["grpc", "google"], "client"),
    **dict.fromkeys(["psutil", "uvicorn"], "server"),
    **dict.fromkeys(["fastapi", "jwt", "multipart", "PIL", "prometheus_client", "starlette", "uvloop"], "gateway"),
    **dict.fromkeys(["docker", "kubernetes"], "launchers"),
    **dict.fromkeys(["kfp", "kfp_server_api"], "kubeflow"),
    **dict.fromkeys(["apache_beam", "keras", "pyarrow", "tensorflow", "tensorflow_metadata", "tfx"], "pipeline"),
}
_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(command: _Command) -> _Command:
    """``--json``: one JSON document on stdout, everything else on stderr."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout; all else goes to stderr.")(command)


def settings_options(command: _Command) -> _Command:
    """``--env`` and ``--set``, as every command that reads configuration takes them."""
    command = click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one value, e.g. thresholds.auc=0.7.")(
        command
    )
    return click.option("--env", "environment", default="local", show_default=True, metavar="NAME", help="Where it runs.")(command)


def print_json(document: Any) -> None:
    """Print the one document. JSON has no NaN and no infinity: they are null."""
    click.echo(json.dumps(_finite(document), indent=2, ensure_ascii=False, default=str, allow_nan=False))


def run_command(command: click.Command, arguments: Sequence[str]) -> NoReturn:
    """Run a command and leave the process with its exit code."""
    code: int = ExitCode.DONE
    try:
        result = command.main(args=list(arguments), prog_name="sluiceway", standalone_mode=False)
        code = result if isinstance(result, int) else ExitCode.DONE
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        # click's own usage errors: the same one line, the same code.
        if type(error).__name__ == "NoArgsIsHelpError" and "--json" not in arguments:
            # A group without a verb: its help is for reading, and no line of an error. (Older versions of click print it themselves.)
            click.echo(error.format_message(), err=True)
            sys.exit(int(ExitCode.USAGE))
        code = _tell(error.format_message().replace("\n", " "), ExitCode.USAGE, "UsageError", arguments)
    except (click.Abort, KeyboardInterrupt):
        code = _tell("interrupted", 130, "Interrupted", arguments)
    except SluicewayError as error:
        code = _tell(str(error), error.exit_code, type(error).__name__, arguments)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        code = _tell(
            f"this needs {error.name}, which is not installed: pip install 'sluiceway[{extra}]'", ExitCode.USAGE, "MissingExtra", arguments
        )
    except BrokenPipeError:
        # The reader went away (for example `| head`): not an error worth a word.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = ExitCode.FAILURE
    except Exception as error:  # noqa: BLE001 - a defect of ours still ends in one line and one document
        if {"-v", "--verbose"} & set(arguments) or os.environ.get("SLUICEWAY_TRACEBACK"):
            traceback.print_exc()
        text = f"unexpected {type(error).__name__}: {error}; SLUICEWAY_TRACEBACK=1 shows where, please report it"
        code = _tell(text, ExitCode.FAILURE, type(error).__name__, arguments)
    sys.exit(int(code))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value


def _tell(message: str, code: int, kind: str, arguments: Sequence[str]) -> int:
    message = " ".join(message.split())
    click.echo(f"sluiceway: {message}", err=True)
    if "--json" in arguments:
        print_json({"error": {"kind": kind, "message": message, "exit_code": int(code)}})
    return int(code)
