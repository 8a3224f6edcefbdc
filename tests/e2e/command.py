"""The command line as a person uses it: a process of its own, its exit code, what it printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# A run takes about a minute; a machine under load takes longer, and a hang must still end.
RUN_SECONDS = 540


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What ``--json`` printed: the whole of stdout, or it is not one document."""
        content: dict[str, Any] = json.loads(self.out)
        return content


def environment() -> dict[str, str]:
    """This process's own environment without what a test runner adds."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


def sluiceway(
    *arguments: str, state: Path, env: str = "smoke", program: Sequence[str] = ("-m", "pipeline"), cwd: Path | None = None
) -> Ended:
    """Run one command to its end."""
    command = [sys.executable, *program, *arguments, "--env", env, "--set", f"state={state}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, cwd=cwd or ROOT, env=environment(), check=False)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def started(*arguments: str, state: Path, env: str = "smoke") -> subprocess.Popen[str]:
    """Start one command in a process group of its own and give it back running, its stdout a pipe."""
    command = [sys.executable, "-m", "pipeline", *arguments, "--env", env, "--set", f"state={state}"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment(), start_new_session=True
    )


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder with its size and the time it was last written: what must not change."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
