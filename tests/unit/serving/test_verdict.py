"""A verdict is a value: accepted without reasons, and the same after it was written down."""

from __future__ import annotations

import json

import pytest

from serving.verdict import Reason, Verdict

REFUSED = Verdict("evaluator", (Reason("threshold", "auc 0.5000 < 0.8", 0.5, 0.8), Reason("not_measured", "loss could not be measured")))


@pytest.mark.parametrize(("verdict", "accepted"), [(Verdict("data"), True), (REFUSED, False)])
def test_a_verdict_is_accepted_when_nothing_speaks_against_it(verdict, accepted):
    assert verdict.accepted is accepted
    assert verdict.as_json()["accepted"] is accepted


@pytest.mark.parametrize("verdict", [Verdict("data"), REFUSED])
def test_a_verdict_comes_back_from_json_as_it_was(verdict):
    assert Verdict.from_json(json.loads(json.dumps(verdict.as_json()))) == verdict


def test_a_reason_carries_its_numbers():
    assert REFUSED.as_json()["reasons"][0] == {"code": "threshold", "message": "auc 0.5000 < 0.8", "measured": 0.5, "limit": 0.8}
