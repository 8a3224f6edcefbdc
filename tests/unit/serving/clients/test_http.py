"""A client's process has no use for httpx's command line."""

from __future__ import annotations

import subprocess
import sys


def test_httpx_comes_without_what_only_its_command_line_needs():
    code = """
import sys
from serving.clients.http import httpx
assert httpx.Client
assert not {"rich", "click", "pygments"} & set(sys.modules), sys.modules
import httpx._main  # whoever wants it later still gets it
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_an_httpx_that_is_there_is_taken_as_it_is():
    code = """
import sys, httpx, httpx._main as command_line
from serving.clients.http import httpx as ours
assert ours is httpx
assert sys.modules["httpx._main"] is command_line
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
