"""Rows to fill a form with, from what was published with a version: three at most, as JSON, and only those that can be shown."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from serving.gateway.golden_rows import read_rows, rows
from serving.golden import GOLDEN, GoldenRequest, dump


def form(**kinds: str) -> dict[str, object]:
    return {"signature": "predict", "fields": [{"name": name, "kind": kind} for name, kind in kinds.items()]}


def texts(*values: bytes) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def request(signature: str = "predict", **inputs: np.ndarray) -> GoldenRequest:
    return GoldenRequest(signature, inputs, {})


def test_each_kind_is_json_as_a_person_would_write_it():
    given = request(
        fare=np.array([12.3, np.nan, np.inf, 1], np.float32),
        hour=np.arange(4, dtype=np.int64),
        cash=np.array([True, False, True, True]),
        payment=texts(b"Cash", "Ü".encode(), b"", b"x"),
        pixels=np.array([[0.5, -np.inf]] * 4),
    )
    fields = form(fare="number", hour="whole", cash="flag", payment="text", pixels="numbers")
    found = rows([request("other", x=np.zeros(1)), given], fields)
    assert found == [
        {"fare": 12.3, "hour": 0, "cash": True, "payment": "Cash", "pixels": [0.5, "-Infinity"]},
        {"fare": "NaN", "hour": 1, "cash": False, "payment": "Ü", "pixels": [0.5, "-Infinity"]},
        {"fare": "Infinity", "hour": 2, "cash": True, "payment": "", "pixels": [0.5, "-Infinity"]},
    ]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_images_are_bytes_unless_they_are_large():
    small, large = b"\xff\xd8" + b"x" * (64 * 1024 - 2), b"x" * (64 * 1024 + 1)
    found = rows([request(image=texts(large, small, large, b"y"))], form(image="image"))
    assert found == [{"image": {"b64": base64.b64encode(content).decode()}} for content in (small, b"y")]


@pytest.mark.parametrize(
    ("array", "kind"), [(texts(b"\xff", b"ok"), "text"), (np.stack([np.zeros(10_000), np.zeros(10_000)]), "numbers")], ids=["text", "large"]
)
def test_a_row_that_cannot_be_shown_is_left_out(array, kind):
    assert len(rows([request(x=array)], form(x=kind))) == (1 if kind == "text" else 0)


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [request("serving_default", x=np.zeros(2))],
        [request(y=np.zeros(2))],
        [request(x=np.zeros(2), y=np.zeros(2))],
        [request(x=np.zeros(()))],
    ],
)
def test_what_does_not_fit_the_form_gives_no_rows(requests):
    assert rows(requests, form(x="number")) == []


@pytest.mark.parametrize("text", [None, "", "{}", '{"requests": 1}', '{"requests": [{"signature": "predict", "inputs": {}}]}'])
def test_a_file_that_is_broken_or_not_there_gives_no_rows(tmp_path, text):
    if text is not None:
        (tmp_path / "assets.extra").mkdir()
        (tmp_path / GOLDEN).write_text(text)
    assert read_rows(tmp_path, form(x="number")) == []


def test_they_are_read_from_the_versions_folder(tmp_path):
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / GOLDEN).write_text(json.dumps(dump([request(x=np.array([1.5, np.nan]))])))
    assert read_rows(tmp_path, form(x="number")) == [{"x": 1.5}, {"x": "NaN"}]
