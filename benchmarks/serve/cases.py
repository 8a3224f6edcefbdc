"""The models that are served, built once below the work folder by children that hold TensorFlow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from shutil import rmtree

from benchmarks.serve.case import Case, read

MODELS = ("half_plus_two", "taxi", "cnn")
BUILDER = Path(__file__).with_name("models.py")
SLUICEWAY = Path(sys.executable).with_name("sluiceway")


class NotBuilt(Exception):
    """A model could not be made; the message is the end of what its builder said."""


def build(name: str, work: Path, taxi: Path | None) -> tuple[Case, Path]:
    """The case and its file; built when it is not there yet, or when a store is given to take it from. Raises NotBuilt."""
    folder = work / f"models-{sha256(BUILDER.read_bytes()).hexdigest()[:8]}"
    file = folder / f"{name}.json"
    given = taxi if name == "taxi" else None
    if given or not file.exists():
        rmtree(folder / name, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.serve.models", name, str(folder)]
        _run(command if name != "taxi" else [*command, str(given or _published(work))])
    return read(file), file


def _published(work: Path) -> Path:
    """A store with a taxi model in it; one smoke run of the pipeline when there is none."""
    state = work / "state"
    if not list((state / "store" / "taxi").glob("[0-9]*/saved_model.pb")):
        print("taxi: one run of the pipeline, about a minute", file=sys.stderr, flush=True)
        _run([str(SLUICEWAY), "run", "taxi", "--env", "smoke", "--set", f"state={state}"])
    return state / "store"


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotBuilt(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
