"""The shell blocks of a Markdown page, run one after the other in one shell, and what the page says they print."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PIECE = re.compile(r"^## (?P<heading>[^\n]+)$|^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "----- end of block"


@dataclass(frozen=True)
class Block:
    """Commands and what the page shows below them; None where it shows nothing. ``name`` is the heading and a number."""

    name: str
    commands: str
    shown: str | None


def blocks(page: str) -> list[Block]:
    """Every ``sh`` block; a block without a language right after it is what it prints."""
    found: list[Block] = []
    heading, number, end = "", 0, 0
    for piece in _PIECE.finditer(page):
        if piece["heading"]:
            heading, number = piece["heading"], 0
        elif piece["kind"] == "sh":
            number += 1
            found.append(Block(f"{heading} {number}", piece["text"], None))
            end = piece.end()
        elif not piece["kind"] and not page[end : piece.start()].strip():
            found[-1] = Block(found[-1].name, found[-1].commands, piece["text"])
    return found


def agrees(shown: str, printed: str) -> bool:
    """Is that what was printed? ``...`` stands for anything; blanks at the ends of lines and of the text do not count."""
    pattern = ".*?".join(re.escape(part) for part in _trimmed(shown).split("..."))
    return re.fullmatch(pattern, _trimmed(printed), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@dataclass(frozen=True)
class Outcome:
    """What a block printed on standard output, and the exit code of its last command."""

    printed: str
    code: int


def run(page: Sequence[Block], folder: Path, environment: Mapping[str, str], seconds: float) -> list[Outcome]:
    """The outcomes of the blocks that ran, in one bash; everything that it started is gone afterwards."""
    script = folder / "page.sh"
    script.write_text("".join(f"{block.commands}\ncode=$?; echo; echo '{_END}' $code\n" for block in page), encoding="utf-8")
    with (folder / "page.out").open("w+") as out, (folder / "page.err").open("w") as err:
        shell = subprocess.Popen(
            ["bash", str(script)],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            shell.wait(seconds)
        except subprocess.TimeoutExpired:
            pass  # what ran until then says where it hung
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
        out.seek(0)
        parts = re.split(rf"^{_END} (\d+)\n", out.read(), flags=re.MULTILINE)
    return [Outcome(printed, int(code)) for printed, code in zip(parts[0::2], parts[1::2], strict=False)]
