"""A case on disk is the case in memory."""

from benchmarks.serve.case import Case, Column, read, write


def test_a_case_survives_its_file(tmp_path):
    case = Case(
        "taxi",
        "/models/taxi",
        "predict",
        (Column("company", "string", ()), Column("image", "float32", (2, 3))),
        {"company": "é"},
        {"y": 1.5},
    )
    write(case, tmp_path / "taxi.json")
    assert read(tmp_path / "taxi.json") == case


def test_the_model_is_version_one_of_its_base_path():
    case = Case("taxi", "/models/taxi", "predict", (), {"x": 1}, {})
    assert (case.directory, case.batch_of_one()) == ("/models/taxi/1", {"x": [1]})
