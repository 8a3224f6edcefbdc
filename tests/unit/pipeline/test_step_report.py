"""What a person sees of a step: verdict first, figures after, and nothing from the data that could be markup."""

from __future__ import annotations

from pipeline.step_report import live_page, node_page, plan_page, reasons_table, refusal_page
from serving.verdict import Reason, Verdict

REFUSED = Verdict("evaluator", (Reason("threshold", "auc 0.6100 < 0.85", 0.61, 0.85), Reason("x", "second")))


def test_a_refused_node_says_so_before_anything_else():
    page = node_page("Evaluator", REFUSED, "auc 0.6100", {"auc": 0.61})
    assert page.splitlines()[0] == "# Evaluator: REFUSED"
    assert "| auc 0.6100 &lt; 0.85 | 0.61 | 0.85 | threshold |" in page
    assert "| auc | 0.61 |" in page


def test_an_accepted_node_and_one_that_is_no_gate_show_their_figures():
    assert node_page("Evaluator", Verdict("evaluator"), "", {}).startswith("# Evaluator: accepted\n")
    page = node_page("StatisticsGen", None, "3 rows", {"train": 3})
    assert page.startswith("# StatisticsGen: done\n\n3 rows\n")
    assert page.endswith("| train | 3 |\n")


def test_a_refusal_is_told_from_a_failure_with_every_reason_and_what_is_live():
    page = refusal_page("taxi", REFUSED, 4)
    assert page.startswith("# REFUSED taxi\n")
    assert "no failure" in page
    assert page.count("\n| ") == 4  # head, rule and two reasons
    assert page.endswith("Live is: v4.\n")
    assert "Live is: nothing." in refusal_page("taxi", REFUSED, None)


def test_the_plan_says_whether_there_is_anything_to_do():
    assert "Nothing is new: v2" in plan_page("taxi", "unchanged", 2, {})
    page = plan_page("taxi", "go", None, {"data_digest": "abc"})
    assert "Live is: nothing." in page
    assert "| data_digest | abc |" in page


def test_the_proof_shows_each_answer():
    assert "| rest | 0.5 |" in live_page("taxi", 3, [("rest", "0.5")])


def test_text_from_the_data_stays_in_its_cell():
    table = reasons_table([Reason("c", "value '<script>|a\nb' of |x|")])
    assert "<script>" not in table
    assert "\\|a b" in table
    assert len(table.splitlines()) == 3
