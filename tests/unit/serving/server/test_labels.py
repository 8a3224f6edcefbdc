"""Labels move only where that takes no answer away; upstream's refusals are a table."""

from __future__ import annotations

import pytest

from serving.server.labels import refusal, settle


@pytest.mark.parametrize(
    ("wanted", "current", "available", "assigned", "pending"),
    [
        pytest.param({"stable": 1}, {}, {1}, {"stable": 1}, {}, id="its version is available"),
        pytest.param({"stable": 2}, {"stable": 1}, {1}, {"stable": 1}, {"stable": 2}, id="waits while the old one answers"),
        pytest.param({"stable": 2}, {"stable": 1}, {1, 2}, {"stable": 2}, {}, id="flips once the new one answers"),
        pytest.param({"stable": 2}, {}, {1}, {"stable": 2}, {}, id="a new label says what is missing"),
        pytest.param({"stable": 2}, {"stable": 1}, set(), {"stable": 2}, {}, id="nothing to keep"),
        pytest.param({}, {"stable": 1}, {1}, {}, {}, id="no longer wanted"),
        pytest.param({"a": 2, "b": 1}, {"a": 1}, {1}, {"a": 1, "b": 1}, {"a": 2}, id="each for itself"),
    ],
)
def test_a_label_moves_only_where_no_answer_is_lost(wanted, current, available, assigned, pending):
    labels = settle(wanted, current, available)
    assert (labels.assigned, labels.pending) == (assigned, pending)


@pytest.mark.parametrize(
    ("wanted", "current", "available", "allow_new", "refused"),
    [
        pytest.param({"stable": 1}, {}, {1}, False, False, id="available"),
        pytest.param({"stable": 2}, {}, {1}, False, True, id="not available"),
        pytest.param({"stable": 2}, {}, {1}, True, False, id="new, with the flag"),
        pytest.param({"stable": 2}, {"stable": 2}, set(), True, False, id="does not move, with the flag"),
        pytest.param({"stable": 2}, {"stable": 2}, set(), False, True, id="does not move, without the flag"),
        pytest.param({"stable": 2}, {"stable": 1}, {1}, True, True, id="moves to nowhere, even with the flag"),
        pytest.param({"stable": 2}, {"stable": 1}, {2}, False, False, id="moves to an available one"),
        pytest.param({"a": 1, "b": 2}, {}, {1}, False, True, id="one bad label is enough"),
    ],
)
def test_upstream_refuses_a_label(wanted, current, available, allow_new, refused):
    why = refusal("m", wanted, current, available, allow_new=allow_new)
    expected = "Request to assign label to version 2 of model m, which is not currently available for inference"
    assert why == (expected if refused else None)
