"""The published complaints model is sensible: unresolved anger disputes more than thanks, whatever else is missing."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest

from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.complaints.data import HEADERS
from tests.e2e.command import Ended
from tests.e2e.use_cases.published import Published, refused

USE_CASE = "complaints"
# The first test waits for the run of this module.
pytestmark = pytest.mark.timeout(900)

COMPLAINT: dict[str, Any] = {
    "product": "Credit card",
    "issue": "Billing disputes",
    "state": "CA",
    "zip_code": "941XX",
    "submitted_via": "Web",
    "company_response": "Closed with explanation",
    "timely_response": "Yes",
}
# Written for this test; the sentences of the synthetic rows are others.
ANGRY = "I am furious. They refuse to help me, they ignored every letter and nothing has been resolved. I demand my money back."
THANKFUL = "Thank you. They apologized, the matter is resolved and I am satisfied and happy with the quick reply."


def row(**columns: Any) -> dict[str, Any]:
    """A request with every column."""
    return {**dict.fromkeys(["narrative", "sub_product"]), **COMPLAINT, **columns}


def probabilities(published: Published, *rows: dict[str, Any]) -> list[float]:
    return [answer["probability"] for answer in published.predict(rows)]


def test_the_run_ends_live_near_what_the_rows_allow(run: tuple[str, Ended]) -> None:
    _, ended = run
    assert ended.code == 0, ended.err
    assert ended.document["verdict"] == "live"
    assert 0.78 < ended.document["metrics"]["auc"] < 0.9


def test_every_signature_gives_the_trainers_answers_over_both_transports(published: Published) -> None:
    assert published.assert_golden_answers() == set(published.signatures)


def test_the_signatures_read_well(published: Published) -> None:
    signatures = published.signatures
    assert set(signatures) == {"predict", "serving_default", "classify", "transform_features"}
    inputs = {name: (spec.dtype, spec.shape) for name, spec in signatures["predict"].inputs.items()}
    assert inputs == dict.fromkeys(set(HEADERS) - {"consumer_disputed"}, ("string", (None,)))
    for name in ("predict", "serving_default"):
        outputs = {name: (spec.dtype, spec.shape) for name, spec in signatures[name].outputs.items()}
        assert outputs == {"probability": ("float32", (None,)), "label": ("string", (None,))}
    assert signatures["classify"].method_name == "tensorflow/serving/classify"


def test_anger_disputes_and_thanks_accept(published: Published) -> None:
    angry, thankful = published.predict([row(narrative=ANGRY), row(narrative=THANKFUL)])
    assert angry["label"] == "disputed"
    assert thankful["label"] == "accepted"
    assert angry["probability"] > 0.6 > 0.2 > thankful["probability"]


@pytest.mark.parametrize("product", ["Mortgage", "Debt collection", "Student loan", "Teleportation", ""])
def test_anger_disputes_more_than_thanks_whatever_the_product(product: str, published: Published) -> None:
    angry, thankful = probabilities(published, row(narrative=ANGRY, product=product), row(narrative=THANKFUL, product=product))
    assert angry > thankful + 0.3


def test_money_back_makes_a_dispute_less_likely(published: Published) -> None:
    explained, paid = probabilities(published, row(), row(company_response="Closed with monetary relief"))
    assert explained > paid + 0.05


def test_without_a_narrative_the_answer_lies_between_anger_and_thanks(published: Published) -> None:
    angry, nothing, blank, thankful = probabilities(
        published, row(narrative=ANGRY), row(narrative=""), row(narrative=" ... "), row(narrative=THANKFUL)
    )
    assert angry > nothing > thankful
    assert blank == pytest.approx(nothing, abs=1e-5)


def test_case_and_punctuation_do_not_change_the_answer(published: Published) -> None:
    plain, loud = probabilities(published, row(narrative=ANGRY), row(narrative=ANGRY.upper().replace(". ", "!!! -- ")))
    assert loud == pytest.approx(plain, abs=1e-5)


def test_other_scripts_invalid_bytes_and_very_long_texts_have_an_answer(published: Published) -> None:
    texts = ["¡Quiero mi dinero! 銀行は返金を拒否しました。", b"They \xff\xfe refuse", ANGRY * 5000, "\u0000", "\U0001f620" * 1000]
    found = probabilities(published, *[row(narrative=text) for text in texts])
    assert all(0 < probability < 1 for probability in found)
    # What counts of it is anger from the first word to the last.
    assert found[2] > 0.6


def test_unknown_words_in_every_column_have_an_answer(published: Published) -> None:
    strange = dict.fromkeys(row(), "Zyzzyva \u2603")
    assert 0 < probabilities(published, strange)[0] < 1


def test_classify_gives_both_classes_with_what_predict_says(published: Published) -> None:
    (scores,) = published.classify([{**COMPLAINT, "narrative": ANGRY}])
    assert set(scores) == {"accepted", "disputed"}
    assert scores["disputed"] == pytest.approx(probabilities(published, row(narrative=ANGRY))[0], abs=1e-5)
    assert sum(scores.values()) == pytest.approx(1, abs=1e-5)


def test_an_example_needs_no_column_at_all(published: Published) -> None:
    nothing, narrative = published.classify([{}, {"narrative": ANGRY}])
    assert sum(nothing.values()) == pytest.approx(1, abs=1e-5)
    assert narrative["disputed"] > nothing["disputed"]


def test_a_batch_of_64_is_answered_row_by_row(published: Published) -> None:
    rows = [row(narrative=ANGRY[: 3 * place], product=["Mortgage", "Credit card", None][place % 3]) for place in range(64)]
    together = probabilities(published, *rows)
    assert len(together) == 64
    assert together[41] == pytest.approx(probabilities(published, rows[41])[0], abs=1e-5)


@pytest.mark.parametrize(
    ("sent", "saying"),
    [
        pytest.param({**row(narrative="", sub_product=""), "product": 7}, "7", id="a-number"),
        pytest.param({**row(narrative="", sub_product=""), "product": None}, "null", id="a-null"),
        pytest.param({**COMPLAINT, "sub_product": ""}, "narrative", id="a-column-left-out"),
        pytest.param({**row(narrative="", sub_product=""), "consumer_disputed": "Yes"}, "consumer_disputed", id="the-label"),
    ],
)
def test_a_request_that_does_not_fit_is_a_400_that_says_why(sent: dict[str, Any], saying: str, published: Published) -> None:
    answer = published.post("predict", {"signature_name": "predict", "instances": [sent]})
    assert answer.status_code == 400
    assert saying in json.loads(answer.text)["error"]


def test_a_model_on_shuffled_labels_is_refused(tmp_path: Path) -> None:
    with get_use_case(USE_CASE).source().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    column = HEADERS["consumer_disputed"]
    labels = [each[column] for each in rows]
    random.Random(5).shuffle(labels)
    data = tmp_path / "shuffled.csv"
    with data.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**each, column: label} for each, label in zip(rows, labels, strict=True))
    cheap = ("--set", "budgets.smoke.rows=1500", "--set", "budgets.smoke.epochs=3")
    told = refused(USE_CASE, data, tmp_path / "state", *cheap)
    assert "auc 0." in told
    assert "product=Mortgage" in told, "a slice is told by its words"
