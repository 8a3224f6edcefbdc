"""docs/serving.md names flags that exist, and its table is the server's own."""

from __future__ import annotations

import re

import pytest

from serving.server import capabilities
from serving.server.flag_table import SPECS
from tests.house.tree import ROOT

PAGE = ROOT / "docs" / "serving.md"
BEGIN, END = "<!-- capabilities: begin -->\n", "<!-- capabilities: end -->"


def table(page: str) -> str:
    """What stands between the two markers."""
    _, _, rest = page.partition(BEGIN)
    return rest.partition(END)[0].strip()


def told(page: str) -> str:
    """The page without its table."""
    return page.replace(table(page), "")


def flags(page: str) -> set[str]:
    """The server's flags that the page tells of: in its sentences, and in calls of the server in its fenced blocks."""
    fence = r"^```[^\n]*\n(.*?)^```"
    calls = [
        call
        for block in re.findall(fence, page, flags=re.MULTILINE | re.DOTALL)
        for call in re.findall(r"\bsluiceway-server\b(?:\\\n|[^\n])*", block)
    ]
    sentences = re.sub(fence, "", page, flags=re.MULTILINE | re.DOTALL)
    return {name for text in calls for name in re.findall(r"--(\w+)", text)} | set(re.findall(r"`--(\w+)", sentences))


def unknown(page: str) -> set[str]:
    """Those of them that the server does not have."""
    return flags(page) - {spec.name for spec in SPECS}


def test_the_table_is_what_the_server_says_of_itself():
    assert table(PAGE.read_text(encoding="utf-8")) == capabilities.markdown().strip()


def test_the_page_names_no_flag_that_there_is_not():
    assert unknown(told(PAGE.read_text(encoding="utf-8"))) == set()


def test_the_page_tells_of_what_a_server_is_run_with():
    assert {"model_config_file", "enable_batching", "ssl_config_file", "admin_token_file", "workers", "compat"} <= flags(
        told(PAGE.read_text(encoding="utf-8"))
    )


@pytest.mark.parametrize(
    "page",
    [
        "text `--fly`",
        "```sh\nsluiceway-server --port=1 \\\n  --fly=1 &\ncurl --retry 3 x\n```\n",
        "```sh\ntimeout 3 sluiceway-server --fly\n```\n",
    ],
)
def test_an_unknown_flag_is_reported(page):
    assert unknown(page) == {"fly"}


def test_the_table_is_what_stands_between_the_markers():
    assert table(f"before\n\n{BEGIN}\n| a |\n\n{END}\nafter") == "| a |"
    assert table("no markers") == ""
