"""The steps around the nodes: plan, refusal, proof."""

from __future__ import annotations

import json

from pipeline import around, proof
from pipeline.around import live_number, plan_step, prove_step, refused_step
from pipeline.run import check, plan
from serving.verdict import Reason, Verdict


def test_a_first_run_has_something_to_do_and_knows_itself(settings):
    planned = plan_step(settings())
    assert (planned.decision, planned.live) == ("go", None)
    assert planned.fingerprint == plan(check(settings())).fingerprint
    assert set(planned.values()) == {"decision", "data_digest", "fingerprint", "code", "judging"}
    assert all(planned.values().values())


def test_planning_writes_nothing(settings, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    plan_step(settings())
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_live_already_is_unchanged_unless_the_cache_is_off(settings, published):
    published(plan_step(settings()).fingerprint)
    assert (plan_step(settings()).decision, plan_step(settings()).live) == ("unchanged", 1)
    assert plan_step(settings("cache=false")).decision == "go"
    assert plan_step(settings("hparams.dropout=0.3")).decision == "go"


def test_a_refusal_is_kept_in_the_ledger(settings, store, published):
    published()
    refused_step(settings(), Verdict("evaluator", (Reason("threshold", "auc 0.6 < 0.85", 0.6, 0.85),)), "run-7")
    event = store.history("taxi")[-1]
    assert (event.kind, event.run_id) == ("refuse", "run-7")
    assert "auc 0.6 < 0.85" in json.dumps(event.details, default=vars)
    assert live_number(settings()) == 1


def test_a_step_that_is_tried_again_keeps_its_refusal_once(settings, store):
    verdict = Verdict("evaluator", (Reason("threshold", "auc 0.6 < 0.85"),))
    for run_id in ("run-7", "run-7", "run-8", "step", "step"):
        refused_step(settings(), verdict, run_id)
    assert [event.run_id for event in store.history("taxi")] == ["run-7", "run-8", "step", "step"]


def test_the_proof_asks_what_is_live_and_nothing_where_nothing_is(settings, published, monkeypatch):
    asked = []
    monkeypatch.setattr(proof, "prove", lambda _, version: asked.append(version.number) or ["an answer"])
    assert prove_step(settings()) == (None, ())
    published()
    version, answers = prove_step(settings())
    assert (version.number, list(answers), asked) == (1, ["an answer"], [1])
    assert around.live_number(settings()) == 1
