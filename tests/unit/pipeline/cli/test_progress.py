"""What a person sees of a run: lines in a pipe, a tree on a terminal."""

from __future__ import annotations

import io
import re

import pytest

from pipeline.cli import progress as module
from pipeline.cli.progress import LiveTree, PlainLines, progress
from pipeline.runners.base import NodeEvent

NODES = ["ExampleGen", "Trainer", "Evaluator", "Pusher"]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """The seconds that have gone by; a test moves them."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def last_frame(tree):
    """What the tree would show now, without colours."""
    from rich.console import Console

    stream = io.StringIO()
    Console(file=stream, width=100).print(tree._draw())
    return stream.getvalue()


def tree_of(expected=None, stream=None):
    return LiveTree(stream or io.StringIO(), "taxi (local)", NODES, expected or {})


@pytest.mark.parametrize(("live", "kind"), [(True, LiveTree), (False, PlainLines)])
def test_a_terminal_gets_a_tree_and_a_pipe_lines(live, kind):
    assert isinstance(progress(io.StringIO(), "taxi", NODES, {}, live=live), kind)


def test_a_pipe_gets_a_line_when_a_node_ends():
    stream = io.StringIO()
    with progress(stream, "taxi", NODES, {}, live=False) as view:
        view.note("starting")
        view(NodeEvent("ExampleGen", "waiting"))
        view(NodeEvent("ExampleGen", "running"))
        assert stream.getvalue() == "starting\n"
        view(NodeEvent("ExampleGen", "done", 1.25, "7 rows"))
        view(NodeEvent("Trainer", "cached", 0.04))
        view(NodeEvent("Evaluator", "refused", 12.0, "auc 0.5 (>= 0.8)"))
    assert stream.getvalue().splitlines() == [
        "starting",
        "ExampleGen        done        1.2 s  7 rows",
        "Trainer           cached      0.0 s",
        "Evaluator         refused    12.0 s  auc 0.5 (>= 0.8)",
    ]


def test_a_pipe_gets_no_colours_and_no_cursor():
    stream = io.StringIO()
    with progress(stream, "taxi", NODES, {}, live=False) as view:
        view(NodeEvent("Trainer", "failed", 1.0))
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (NodeEvent("Trainer", "waiting"), r"· Trainer *$"),
        (NodeEvent("Trainer", "running"), r"● Trainer +0\.0 s$"),
        (NodeEvent("Trainer", "done", 2.34, "loss 0.1"), r"✓ Trainer +2\.3 s  loss 0\.1$"),
        (NodeEvent("Trainer", "cached", 0.1, "loss 0.1"), r"= Trainer +cached  loss 0\.1$"),
        (NodeEvent("Trainer", "refused", 2.0), r"✗ Trainer +2\.0 s$"),
        (NodeEvent("Trainer", "failed", 2.0), r"! Trainer +2\.0 s$"),
        (NodeEvent("Trainer", "skipped"), r"- Trainer *$"),
    ],
    ids=lambda value: getattr(value, "state", ""),
)
@pytest.mark.usefixtures("clock")
def test_the_tree_draws_each_state(event, line):
    tree = tree_of()
    tree(event)
    (drawn,) = [text for text in last_frame(tree).splitlines() if "Trainer" in text]
    assert re.search(line, drawn.rstrip()), drawn


def test_the_tree_shows_every_node_in_order():
    names = re.findall("ExampleGen|Trainer|Evaluator|Pusher", last_frame(tree_of()))
    assert names == NODES


def test_a_running_node_shows_how_long_it_runs(clock):
    tree = tree_of()
    tree(NodeEvent("Trainer", "running"))
    clock[0] += 12.3
    assert "12.3 s" in last_frame(tree)


def test_the_time_that_is_left_comes_from_earlier_runs(clock):
    tree = tree_of(dict(zip(NODES, (10.0, 20.0, 5.0, 1.0), strict=True)))
    assert "about 36 s left" in last_frame(tree)
    tree(NodeEvent("ExampleGen", "done", 9.0))
    tree(NodeEvent("Trainer", "running"))
    clock[0] += 4
    assert "about 22 s left" in last_frame(tree)
    clock[0] += 400
    assert "about 6 s left" in last_frame(tree)


def test_without_an_earlier_run_no_time_is_promised():
    assert "left" not in last_frame(tree_of({"Trainer": 20.0}))


def test_a_note_stands_in_the_title_until_a_node_starts():
    tree = tree_of()
    tree.note("starting TFX ...")
    assert last_frame(tree).splitlines()[0].rstrip() == "taxi (local)  starting TFX ..."
    tree(NodeEvent("ExampleGen", "running"))
    assert "starting" not in last_frame(tree)


def test_what_never_started_is_skipped_in_the_end(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with tree_of(stream=stream) as tree:
        tree(NodeEvent("ExampleGen", "running"))
        tree(NodeEvent("ExampleGen", "refused", 1.0, "2 anomalies"))
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).rpartition("taxi (local)")[2]
    assert "✗ ExampleGen" in last
    assert "2 anomalies" in last
    for name in NODES[1:]:
        assert f"- {name}" in last


def test_a_tree_that_is_left_by_an_error_gives_the_terminal_back(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with pytest.raises(RuntimeError), tree_of(stream=stream):
        raise RuntimeError
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")
