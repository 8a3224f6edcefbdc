"""The report for people shows every figure, failure and verdict."""

from benchmarks.serve.report import Report, Row
from benchmarks.serve.sample import Sample
from benchmarks.serve.table import aligned, text

ROW = Row("taxi", "REST", 16)


def shown(**failures: str) -> str:
    samples = {
        ROW: {"sluiceway": [Sample(3000, 1.0, 2.0, 9000, 0)], "ray_serve": [Sample(1500, 3.0, 4.0, 4500, 7)]},
        Row("taxi", "gRPC", 1): {"sluiceway": [Sample(500, 1.0, 2.0, 9000, 0)]},
    }
    titles = {"sluiceway": "sluiceway", "ray_serve": "Ray Serve", "mlflow": "MLflow"}
    return text(Report("sluiceway", titles, {"sluiceway": "--workers=2"}, samples, {"taxi": [6000.0]}, failures, [0.1]))


def test_a_row_has_rates_limit_and_both_ratios():
    line = next(line for line in shown().splitlines() if "REST" in line)
    assert line.split() == ["taxi", "REST", "16", "3,000", "1,500!", "-", "6,000", "2.00", "0.50"]


def test_a_row_without_another_has_no_ratio():
    line = next(line for line in shown().splitlines() if "gRPC" in line)
    assert line.split() == ["taxi", "gRPC", "1", "500", "-", "-", "6,000", "-", "0.08"]


def test_requests_that_failed_are_told_with_their_product():
    assert "! taxi REST 16: 7 of 4,500 requests to Ray Serve failed" in shown()


def test_a_product_that_was_not_measured_is_told_with_its_reason():
    assert "- mlflow: uv pip ended with 2" in shown(mlflow="uv pip ended with 2")


def test_the_verdicts_come_last():
    assert shown().splitlines()[-1] == "no row slower than the best other: yes (taxi REST 16 2.00x)"


def test_numbers_stand_to_the_right():
    assert aligned([["model", "", "rate"], ["taxi", "REST", "7"]]) == "  model        rate\n  taxi   REST     7"
