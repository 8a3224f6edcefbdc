"""A virtual environment for each product, built once from `requirements/<product>.txt` and kept while that file stays the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.serve.servers.base import ROOT

REQUIREMENTS = Path(__file__).with_name("requirements")
WANTED = "3.12"
"""The newest Python that all the products and their TensorFlow have packages for; it is faster than our own 3.10."""


class NotInstalled(Exception):
    """A product's environment could not be built; the message says why."""


def interpreter(name: str, work: Path, python: str | None) -> Path:
    """The Python of a product's environment below the work folder. Raises NotInstalled."""
    requirements = REQUIREMENTS / f"{name}.txt"
    if not requirements.is_file():
        return Path(sys.executable)  # ours: the environment that runs this
    wanted = requirements.read_text(encoding="utf-8")
    folder = work / "environments" / name
    stamp, program = folder / "installed.txt", folder / "bin" / "python"
    if program.exists() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return program
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    # Our own pyproject.toml has overrides for uv, which must not reach others: no configuration, and a complete list.
    _run([uv, "venv", "--no-config", "--clear", "--python", python or find_python(), str(folder)])
    _run([uv, "pip", "install", "--no-config", "--no-deps", "--python", str(program), "--requirement", str(requirements)])
    stamp.write_text(wanted, encoding="utf-8")
    return program


def find_python() -> str:
    """A Python of the wanted version that runs. Raises NotInstalled."""
    for candidate in _candidates():
        said = subprocess.run(
            [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True, check=False
        )
        if said.stdout.strip() == WANTED:  # a pyenv shim may be on PATH and refuse
            return candidate
    raise NotInstalled(f"no Python {WANTED} here; name one with --python")


def _candidates() -> Iterator[str]:
    if on_path := shutil.which(f"python{WANTED}"):
        yield on_path
    yield from map(str, sorted((Path.home() / ".pyenv" / "versions").glob(f"{WANTED}.*/bin/python{WANTED}"), reverse=True))


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NotInstalled(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise NotInstalled(f"{' '.join(command[:3])} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
