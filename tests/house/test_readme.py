"""The commands in the README exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, plant


def shown_commands(text: str, program: str) -> list[str]:
    """First argument of every call of a program in the fenced blocks of a Markdown page, in order, each once."""
    found: dict[str, None] = {}
    for block in re.findall(r"^```[^\n]*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            for call in re.split(r"&&|\||;", line.partition("#")[0].removeprefix("$ ")):
                words = shlex.split(call, posix=False)
                if len(words) > 1 and Path(words[0]).name == program and not words[1].startswith("-"):
                    found[words[1]] = None
    return list(found)


def make_targets(root: Path) -> set[str]:
    """The targets of a tree's Makefile."""
    return set(re.findall(r"^([a-z][\w-]*):(?!=)", (root / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))


def unknown_targets(root: Path) -> list[str]:
    """Targets that the README calls and the Makefile does not have."""
    return [name for name in shown_commands((root / "README.md").read_text(encoding="utf-8"), "make") if name not in make_targets(root)]


def test_the_readme_shows_the_two_commands_of_a_new_checkout():
    shown = shown_commands((ROOT / "README.md").read_text(encoding="utf-8"), "make")
    assert {"run", "test"} <= set(shown)


def test_every_make_target_of_the_readme_exists():
    assert unknown_targets(ROOT) == []


def test_every_verb_of_the_readme_exists():
    for verb in shown_commands((ROOT / "README.md").read_text(encoding="utf-8"), "sluiceway"):
        done = subprocess.run([sys.executable, "-m", "pipeline", verb, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"sluiceway {verb} --help: {done.stdout}{done.stderr}"


def test_an_unknown_target_is_reported(tmp_path):
    readme = "make outside\n\n```sh\n$ make run    # make it\n.venv/bin/sluiceway serve taxi && make fly\n```\n"
    plant(tmp_path, {"README.md": readme, "Makefile": "BIN := x\nrun: setup\n\t@true\n"})
    assert unknown_targets(tmp_path) == ["fly"]


@pytest.mark.parametrize(
    ("block", "verbs"),
    [("sluiceway run taxi", ["run"]), ("$ .venv/bin/sluiceway predict taxi '{\"a\": 1}' | head", ["predict"]), ("sluiceway --help", [])],
)
def test_verbs_are_found_in_fenced_blocks(block, verbs):
    assert shown_commands(f"sluiceway text\n```console\n{block}\n```\n", "sluiceway") == verbs
