"""Loads that fail before there is a graph, and names that a graph does not have; models that run are in the integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from serving.protocol.status import Code, StatusError
from serving.server.runtime import session
from serving.server.runtime.library import library
from serving.server.runtime.session import SessionModel


@pytest.fixture
def empty() -> Iterator[SessionModel]:
    """A model whose graph has no operation."""
    graph = library().NewGraph()
    yield SessionModel(library(), 0, graph, {})
    library().DeleteGraph(graph)


@pytest.mark.parametrize(("feeds", "fetches", "name", "role"), [({"x:0": 1}, (), "x:0", "feed"), ({}, ("y:1",), "y:1", "fetch")])
def test_a_tensor_that_is_not_in_the_graph_is_named(empty, feeds, fetches, name, role):
    with pytest.raises(StatusError) as caught:
        empty.run({key: np.float32(value) for key, value in feeds.items()}, fetches)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message == (f"Tensor {name}, specified in either feed_devices or fetch_devices was not found in the Graph ({role})")


def test_a_call_that_was_never_made_is_not_quick(empty):
    assert not empty.quick(["x:0"], ["y:0"])


def test_orders_of_the_same_tensors_do_not_multiply(empty, monkeypatch):
    monkeypatch.setattr(empty, "_outputs", lambda names, _role: names)
    monkeypatch.setattr(empty, "_run", lambda plan, _feeds, _options: [name.upper() for name in plan.fetches])
    asked = [("b", "a"), ("a", "b"), ("b", "a", "b")]
    assert [empty.run({}, names) for names in asked] == [["B", "A"], ["A", "B"], ["B", "A", "B"]]
    assert len(empty._plans) == 1


def test_closing_twice_is_closing_once(empty):
    empty.close()
    empty.close()


@pytest.mark.parametrize(
    ("content", "config", "code", "message"),
    [
        (None, b"", Code.NOT_FOUND, "Could not find SavedModel .pb or .pbtxt at supplied export directory path: {path}"),
        (b"\xff\xff", b"", Code.OUT_OF_RANGE, "Read less bytes than requested"),
        (b"", b"\xff", Code.INVALID_ARGUMENT, "Unparseable ConfigProto"),
        (b"", b"", Code.NOT_FOUND, "Could not find meta graph def matching supplied tags: {{ serve }}"),
    ],
)
def test_a_load_fails_with_tensorflows_code_and_text(tmp_path: Path, content, config, code, message):
    if content is not None:
        (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(StatusError) as caught:
        session.load(tmp_path, ["serve"], config)
    assert caught.value.code is code
    assert message.format(path=tmp_path) in caught.value.message


@pytest.mark.parametrize(
    ("seconds", "milliseconds"), [(1e-9, 1), (0.001, 1), (0.127, 127), (0.128, 128), (0.3, 300), (30, 30_000), (1e6, 10**9)]
)
def test_run_options_carry_the_timeout_and_never_none(seconds, milliseconds):
    _, (memory, _) = session._timeout(seconds)
    assert memory.raw[:1] == b"\x10"  # field 2, a number
    assert sum((byte & 0x7F) << 7 * place for place, byte in enumerate(memory.raw[1:])) == milliseconds
    assert [byte >> 7 for byte in memory.raw[1:]] == [1] * (len(memory.raw) - 2) + [0]
