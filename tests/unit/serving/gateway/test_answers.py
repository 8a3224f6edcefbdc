"""Answers are JSON whatever is in them, and say what went wrong; the log's note of it holds nothing that was sent."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import StoreError
from serving.gateway.admission import Overloaded
from serving.gateway.answers import TooLarge, encoded, send_answer, told, whole_seconds
from serving.gateway.checks import Problem, Unfit
from serving.gateway.upstream import LeftAlone
from serving.protocol.status import HTTP_STATUS, Code, StatusError

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3),
)


@given(ANYTHING)
def test_anything_becomes_json(document):
    def refuse(word: str) -> None:
        raise AssertionError(word)

    json.loads(encoded(document), parse_constant=refuse)


def test_what_json_has_no_word_for_is_null():
    assert encoded({"a": [float("nan"), float("inf"), 0.5]}) == b'{"a":[null,null,0.5]}'
    assert encoded({"a\udcff": "b\udcff"}) == b'{"a?":"b?"}'


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (Unfit([Problem("instances[0].x", "hush is wrong"), Problem("", "too")]), 422, None),
        (Overloaded(1.0), 503, "1"),
        (Overloaded(2.1), 503, "3"),
        (TooLarge(2**20), 413, None),
        (LeftAlone("default", 4.2), 503, "5"),
        (StatusError(Code.RESOURCE_EXHAUSTED, "hush"), 503, "1"),
        (StatusError(Code.UNAVAILABLE, "the model server default cannot be reached"), 503, "1"),
        (StatusError(Code.UNIMPLEMENTED, "hush"), 501, None),
        *(
            (StatusError(code, "hush"), HTTP_STATUS[code], None)
            for code in (Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.INTERNAL, Code.CANCELLED)
        ),
        (StoreError("the store is gone"), 500, None),
    ],
    ids=lambda value: f"{type(value).__name__}-{value}"[:40],
)
def test_errors_are_told(error, status, retry):
    found = told(error)
    assert found is not None
    assert (found.status, found.headers.get("retry-after")) == (status, retry)
    assert json.loads(found.body)["error"] == str(error)
    assert "hush" not in found.note


def test_an_assertion_of_the_model_is_told_in_its_own_words():
    found = told(StatusError(Code.INVALID_ARGUMENT, "{{function_node f}} assertion failed: [image 0 is no JPEG]\n\t [[{{node Assert}}]]"))
    assert found is not None
    assert (json.loads(found.body), found.note) == ({"error": "image 0 is no JPEG"}, "INVALID_ARGUMENT")


def test_the_fields_are_listed():
    found = told(Unfit([Problem("instances[0].x", "is wrong")]))
    assert found is not None
    assert json.loads(found.body) == {"error": "instances[0].x: is wrong", "problems": [{"field": "instances[0].x", "problem": "is wrong"}]}


def test_a_fault_is_nothing_that_can_be_told():
    assert told(ZeroDivisionError()) is None


@pytest.mark.parametrize(("seconds", "whole"), [(0.0, 1), (0.2, 1), (1.0, 1), (1.01, 2), (59.5, 60)])
def test_nobody_is_called_back_too_soon(seconds, whole):
    assert whole_seconds(seconds) == whole


def test_an_answer_goes_out_whole():
    sent: list[dict[str, object]] = []

    async def send(message):
        sent.append(message)

    asyncio.run(send_answer(send, 200, b"{}", {"x-model-version": "3"}))
    assert sent == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/json"), (b"content-length", b"2"), (b"x-model-version", b"3")],
        },
        {"type": "http.response.body", "body": b"{}"},
    ]
