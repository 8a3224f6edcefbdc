"""Answers in any nesting agree or are told apart."""

import pytest

from benchmarks.serve.answers import difference

EXPECTED = {"probability": 0.759471, "label": "big_tip"}


@pytest.mark.parametrize(
    "answer",
    [
        EXPECTED,
        {"label": ["big_tip"], "probability": [[0.75947]]},
        {"label": "big_tip", "probability": 0.7594712},
    ],
)
def test_the_same_values_in_any_nesting_agree(answer):
    assert difference(EXPECTED, answer) is None


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"probability": 0.759471}, "outputs"),
        ({"probability": 0.75, "label": "big_tip"}, "probability is 0.75"),
        ({"probability": 0.759471, "label": "small_tip"}, "label is small_tip"),
        ({"probability": [0.759471, 0.759471], "label": "big_tip"}, "probability"),
        ({"probability": float("nan"), "label": "big_tip"}, "probability is nan"),
    ],
)
def test_another_answer_is_told(answer, told):
    assert told in difference(EXPECTED, answer)


def test_every_number_of_a_tensor_counts():
    assert difference({"scores": [0.1, 0.2, 0.7]}, {"scores": [[0.1, 0.2, 0.6]]}) is not None
