"""What a public repository does not say: where one machine keeps things, which host packages come from, numbers of a tracker."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, place, plant, tracked_files

FORBIDDEN = {
    "a home folder of one machine": re.compile(r"(?<![\w.])/(?:home|Users)/\w+|(?<![\w.])/root/\w"),
    "a package registry": re.compile(r"\b(?:py[p]i\.org|python[h]osted\.org|npm[j]s\.org|registry\.y[a]rnpkg)"),
    "a number of a tracker": re.compile(r"(?i)\b(?:issue|ticket) #?\d+"),
}
LOCK = "uv.lock"  # names where every package comes from; that is its job


def indiscreet(root: Path) -> list[str]:
    """Lines of tracked text files that name one of FORBIDDEN, or the folder this checkout is in."""
    rules = {**FORBIDDEN, "the place of this checkout": re.compile(re.escape(str(root)) + r"(?!\w)")}
    found = []
    for path in tracked_files(root):
        if path.name == LOCK or b"\0" in (content := path.read_bytes()):
            continue
        for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), start=1):
            found += [f"{place(root, path, number)}: {what}" for what, pattern in rules.items() if pattern.search(line)]
    return found


def leaving(root: Path) -> list[str]:
    """Links of Markdown pages that lead out of the checkout or to a file that is not there."""
    found = []
    for path in tracked_files(root):
        if path.suffix != ".md":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line):
                if re.match(r"[a-z]+:", target):
                    continue
                goal = (path.parent / target).resolve()
                if not goal.is_relative_to(root.resolve()) or not goal.exists():
                    found.append(f"{place(root, path, number)}: {target}")
    return found


def test_no_file_tells_where_it_was_written():
    assert indiscreet(ROOT) == []


def test_every_link_stays_inside_and_arrives():
    assert leaving(ROOT) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("see /ho" + "me/alice/notes", "a home folder of one machine"),
        ("see /ro" + "ot/notes", "a home folder of one machine"),
        ("fetch https://files.python" + "hosted.org/x", "a package registry"),
        ("closes Iss" + "ue #12", "a number of a tracker"),
    ],
)
def test_an_indiscreet_line_is_reported(tmp_path, text, what):
    plant(tmp_path, {"docs/a.md": f"fine\n{text}\n", "uv.lock": text})
    assert indiscreet(tmp_path) == [f"docs/a.md:2: {what}"]


def test_the_place_of_the_checkout_is_reported(tmp_path):
    plant(tmp_path, {"a.py": f"DATA = '{tmp_path}/data'\n", "b.py": f"DATA = '{tmp_path}er'\n"})
    assert indiscreet(tmp_path) == ["a.py:1: the place of this checkout"]


def test_a_link_that_leaves_or_leads_nowhere_is_reported(tmp_path):
    plant(tmp_path, {"docs/a.md": "[in](b.md#x) [out](../../elsewhere.md) [gone](c.md) [web](https://example.org)\n", "docs/b.md": ""})
    assert leaving(tmp_path) == ["docs/a.md:1: ../../elsewhere.md", "docs/a.md:1: c.md"]
