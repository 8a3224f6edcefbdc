"""Everything that docs/serving.md shows happens: its blocks run in order in one shell, and print what the page says."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from serving.launchers.readiness import wait_for
from tests.e2e.command import ROOT, environment
from tests.e2e.shell_page import Block, Outcome, agrees, blocks, run

PAGE = blocks((ROOT / "docs" / "serving.md").read_text(encoding="utf-8"))
SECONDS = 900.0  # eleven servers and TensorFlow imported six times; a busy machine takes minutes
PROGRAMS = {"python": "", "sluiceway-server": "-m serving.server"}

pytestmark = pytest.mark.timeout(SECONDS + 30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What happened, by the name of the block. Ports that are free stand in for the page's."""
    if find_spec("tensorflow_serving") is None or shutil.which("curl") is None or shutil.which("openssl") is None:
        pytest.skip("the page needs tensorflow-serving-api, curl and openssl")
    folder, programs = tmp_path_factory.mktemp("page"), tmp_path_factory.mktemp("bin")
    for name, arguments in PROGRAMS.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    ports = {"8500": str(free_port()), "8501": str(free_port())}
    variables = {name: value for name, value in environment().items() if not name.lower().endswith("_proxy")}
    variables |= {"PATH": f"{programs}{os.pathsep}{variables['PATH']}", "PYTHONPATH": str(ROOT)}
    return dict(zip((block.name for block in PAGE), run([_on(block, ports) for block in PAGE], folder, variables, SECONDS), strict=False))


def _on(block: Block, ports: dict[str, str]) -> Block:
    commands = block.commands
    for shown, free in ports.items():
        commands = commands.replace(shown, free)
    return Block(block.name, commands, block.shown)


@pytest.mark.parametrize("block", PAGE, ids=lambda block: block.name.replace(" ", "-"))
def test_a_block_does_what_the_page_shows(block: Block, outcomes: dict[str, Outcome]) -> None:
    assert block.name in outcomes, "an earlier block did not end"
    outcome = outcomes[block.name]
    if block.shown is None:
        assert (outcome.printed.strip(), outcome.code) == ("", 0)
    else:
        assert agrees(block.shown, outcome.printed), f"it printed:\n{outcome.printed}"


def test_blocks_are_named_by_their_headings_and_keep_what_they_print():
    page = "# Title\n\n## One\n\n```sh\na\n```\n\n```\nb\n```\n\n## Two\n\n```sh\nc\n```\n\ntext\n\n```\nno answer\n```\n\n```sh\nd\n```\n"
    assert blocks(page) == [Block("One 1", "a\n", "b\n"), Block("Two 1", "c\n", None), Block("Two 2", "d\n", None)]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [("a\nb\n", "a  \nb\n\n", True), ("a ... c", "a b\nb c", True), ("a.c", "abc", False), ("a ...", "b a x", False), ("a", "", False)],
)
def test_dots_stand_for_anything_and_nothing_else_does(shown: str, printed: str, same: bool) -> None:
    assert agrees(shown, printed) is same


def test_one_shell_runs_all_blocks_and_what_it_started_is_gone(tmp_path: Path) -> None:
    page = [Block("a", "x=1; sleep 600 & echo $! > pid", None), Block("b", "echo $x; false", "1")]
    assert run(page, tmp_path, os.environ, 60.0) == [Outcome("\n", 0), Outcome("1\n\n", 1)]
    sleeping = int((tmp_path / "pid").read_text())
    wait_for(lambda: gone(sleeping) or None, lambda: None, what="it was gone", deadline_seconds=30)


def gone(number: int) -> bool:
    """Has that process ended? Until somebody has taken note of its end it is a zombie."""
    try:
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
