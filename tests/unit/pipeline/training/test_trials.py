"""A search tells of its trials while somebody listens."""

from __future__ import annotations

from pipeline.training import trials


def test_a_listener_is_told_inside_its_block_only():
    heard: list[str] = []
    trials.ended(1, 4, 0.5, 0.5)
    with trials.listening(heard.append):
        trials.ended(2, 4, 0.75, 0.5)
        trials.ended(3, 4, None, None)
    trials.ended(4, 4, 0.1, 0.1)
    assert heard == ["trial 2 of 4: loss 0.7500, best 0.5000", "trial 3 of 4: loss none, best none"]
