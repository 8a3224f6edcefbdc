"""The published housing model is sensible: larger homes cost more, poorer neighbours make them cost less."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.housing.features import INPUTS
from tests.e2e.command import Ended
from tests.e2e.use_cases.published import Published, refused

USE_CASE = "housing"
# The first test waits for the run of this module.
pytestmark = pytest.mark.timeout(900)

# An ordinary district: each value near the middle of the 506.
DISTRICT = {
    "CRIM": 0.26,
    "ZN": 0.0,
    "INDUS": 9.7,
    "CHAS": 0,
    "NOX": 0.54,
    "RM": 6.2,
    "AGE": 77.0,
    "DIS": 3.2,
    "RAD": 5,
    "TAX": 330.0,
    "PTRATIO": 19.0,
    "LSTAT": 11.4,
}


def prices(published: Published, **columns: list[float]) -> list[float]:
    """The price of the ordinary district with other values in some columns."""
    rows = [{**DISTRICT, **dict(zip(columns, values, strict=True))} for values in zip(*columns.values(), strict=True)]
    return [answer["value"] for answer in published.predict(rows)]


def test_the_run_ends_live_with_a_small_error(run: tuple[str, Ended]) -> None:
    _, ended = run
    assert ended.code == 0, ended.err
    assert ended.document["verdict"] == "live"
    assert ended.document["metrics"]["mae"] < 3.8


def test_every_signature_gives_the_trainers_answers_over_both_transports(published: Published) -> None:
    assert published.assert_golden_answers() == set(published.signatures)


def test_the_signatures_read_well(published: Published) -> None:
    signatures = published.signatures
    assert set(signatures) == {"predict", "serving_default", "regress", "transform_features"}
    inputs = {name: (spec.dtype, spec.shape) for name, spec in signatures["predict"].inputs.items()}
    assert inputs == {name: ("int64" if name in ("CHAS", "RAD") else "float32", (None,)) for name in INPUTS}
    assert {name: (spec.dtype, spec.shape) for name, spec in signatures["predict"].outputs.items()} == {"value": ("float32", (None,))}
    assert signatures["regress"].method_name == "tensorflow/serving/regress"


def test_an_ordinary_district_has_an_ordinary_price(published: Published) -> None:
    (price,) = prices(published, RM=[6.2])
    assert 15 < price < 30


def test_more_rooms_raise_the_price(published: Published) -> None:
    six, seven, eight = prices(published, RM=[6.0, 7.0, 8.0])
    assert six + 1 < seven
    assert seven + 3 < eight


def test_poorer_neighbours_lower_the_price(published: Published) -> None:
    few, some, many = prices(published, LSTAT=[4.0, 12.0, 28.0])
    assert few - 2 > some
    assert some - 1 > many


def test_regress_answers_as_predict_does(published: Published) -> None:
    assert published.regress([DISTRICT]) == pytest.approx(prices(published, RM=[DISTRICT["RM"]]), rel=1e-5)


def test_what_is_missing_is_the_average(published: Published) -> None:
    without = {name: value for name, value in DISTRICT.items() if name not in ("CRIM", "NOX", "CHAS")}
    (answer,) = published.predict([{**DISTRICT, "CRIM": None, "NOX": None, "CHAS": None}])
    assert published.regress([without]) == pytest.approx([answer["value"]], rel=1e-5)
    assert 15 < answer["value"] < 30
    (nothing,) = published.regress([{}])
    assert 15 < nothing < 30


def test_a_batch_of_64_is_answered_row_by_row(published: Published) -> None:
    rooms = [4.5 + 0.05 * place for place in range(64)]
    together = prices(published, RM=rooms)
    assert len(together) == 64
    assert together[63] == pytest.approx(prices(published, RM=rooms[63:])[0], rel=1e-5)


def test_values_beyond_all_sense_have_an_answer_within_the_market(published: Published) -> None:
    absurd = prices(published, RM=[1e30, -1e30, 0.0], CRIM=[1e30, -1.0, 0.0], TAX=[-1e30, 1e30, 0.0])
    assert all(0 <= price < 200 for price in absurd)


@pytest.mark.parametrize(
    ("row", "saying"),
    [
        pytest.param({**DISTRICT, "RM": "six"}, "six", id="a-word"),
        pytest.param({**DISTRICT, "RM": ""}, '\\"\\"', id="an-empty-string"),
        pytest.param({**DISTRICT, "CHAS": 0.5}, "0.5", id="a-fraction-for-a-whole"),
        pytest.param({name: value for name, value in DISTRICT.items() if name != "RM"}, "RM", id="a-column-left-out"),
    ],
)
def test_a_request_that_does_not_fit_is_a_400_that_says_why(row: dict[str, object], saying: str, published: Published) -> None:
    answer = published.post("predict", {"signature_name": "predict", "instances": [row]})
    assert answer.status_code == 400
    assert saying in answer.text


def test_a_model_on_shuffled_prices_is_refused(tmp_path: Path) -> None:
    with get_use_case(USE_CASE).source().open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    labels = [row[-1] for row in rows]
    random.Random(5).shuffle(labels)
    data = tmp_path / "shuffled.csv"
    with data.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *([*row[:-1], label] for row, label in zip(rows, labels, strict=True))])
    assert "mae" in refused(USE_CASE, data, tmp_path / "state")
