"""What a person sees while a run goes on: a live tree on a terminal, a line for each node in a pipe."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, TextIO

from typing_extensions import Self

from pipeline.runners.base import NodeEvent

_MARKS = {"waiting": "·", "running": "●", "done": "✓", "cached": "=", "refused": "✗", "failed": "!", "skipped": "-"}
_STYLES = {"running": "bold cyan", "done": "green", "cached": "blue", "refused": "bold red", "failed": "bold red"}
_WIDTH = 17


class Progress(Protocol):
    """Told each event of a run; used as a context manager."""

    def __call__(self, event: NodeEvent) -> None: ...

    def note(self, text: str) -> None:
        """Say what goes on outside the nodes."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None: ...


def progress(stream: TextIO, title: str, nodes: Sequence[str], expected: Mapping[str, float], *, live: bool) -> Progress:
    """A live tree where the stream is a terminal that can show one, else plain lines."""
    return LiveTree(stream, title, nodes, expected) if live else PlainLines(stream)


class PlainLines:
    """One line when a node ends: made for pipes, logs and CI."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: NodeEvent) -> None:
        if event.ended:
            self.note(f"{event.name:<{_WIDTH}} {event.state:<8} {event.seconds:6.1f} s  {event.figure}".rstrip())
        elif event.figure:
            self.note(f"{event.name:<{_WIDTH}} {event.figure}")

    def note(self, text: str) -> None:
        # A reader that went away (`| head`) must not end the run.
        with contextlib.suppress(BrokenPipeError):
            print(text, file=self._stream, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        pass


class LiveTree:
    """All nodes at once, redrawn several times a second, with the time that is left by earlier runs."""

    def __init__(self, stream: TextIO, title: str, nodes: Sequence[str], expected: Mapping[str, float]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._title = title
        self._note = ""
        self._events = {name: NodeEvent(name, "waiting") for name in nodes}
        self._begun: dict[str, float] = {}
        self._expected = expected
        self._live = Live(
            console=Console(file=stream), get_renderable=self._draw, refresh_per_second=8, redirect_stdout=False, redirect_stderr=False
        )

    def __call__(self, event: NodeEvent) -> None:
        if event.state == "running":
            self._begun.setdefault(event.name, time.monotonic())  # a node may tell more than once that it is at work
            self._note = ""
        self._events[event.name] = event

    def note(self, text: str) -> None:
        self._note = text

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        self._note = ""
        self._events = {name: NodeEvent(name, "skipped") if event.state == "waiting" else event for name, event in self._events.items()}
        self._live.stop()

    def _draw(self) -> Any:
        from rich.text import Text
        from rich.tree import Tree

        tree = Tree(Text.assemble((self._title, "bold"), ("  " + (self._note or self._left()), "dim")))
        for event in self._events.values():
            seconds = time.monotonic() - self._begun[event.name] if event.state == "running" else event.seconds
            style = _STYLES.get(event.state, "dim")
            line = Text.assemble((f"{_MARKS[event.state]} {event.name:<{_WIDTH}}", style))
            if event.state not in {"waiting", "skipped"}:
                line.append(f" {'cached' if event.state == 'cached' else f'{seconds:.1f} s':>8}", "dim")
            if event.figure:
                line.append(f"  {event.figure}", "red" if event.state == "refused" else "")
            tree.add(line)
        return tree

    def _left(self) -> str:
        """The time left, from how long the nodes took before; nothing where that is not known."""
        left = 0.0
        for event in self._events.values():
            expected = self._expected.get(event.name)
            if event.ended:
                continue
            if expected is None:
                return ""
            spent = time.monotonic() - self._begun[event.name] if event.state == "running" else 0.0
            left += max(0.0, expected - spent)
        return f"about {left:.0f} s left" if left else ""
