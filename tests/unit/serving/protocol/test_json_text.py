"""JSON by TF Serving's rules."""

from __future__ import annotations

import math

import pytest

from serving.protocol.json_text import parse_object, shown
from serving.protocol.status import Code, StatusError


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": 1} trailing', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 1}),
        (b'{"a": [Infinity, -Infinity, Inf, -Inf]}', {"a": [math.inf, -math.inf, math.inf, -math.inf]}),
        (b'{"Inf": "Inf", "b": Inf}', {"Inf": "Inf", "b": math.inf}),
        (b'{"a": "\xff"}', {"a": "\udcff"}),
    ],
)
def test_lenient_where_the_real_parser_is(body, expected):
    assert parse_object(body) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b"  ", "JSON Parse error: The document is empty"),
        (b"[1]", "JSON Value: [1] Is not object"),
        (b'{"a": }', "JSON Parse error: Invalid value. at offset: 6"),
        (b'{"a" 1}', "JSON Parse error: Missing a colon after a name of object member. at offset: 5"),
        (b'{"a": [1 2]}', "JSON Parse error: Missing a comma or ] after an array element. at offset: 9"),
        (b'{"a": [[1], {"]": 2} 3', "JSON Parse error: Missing a comma or ] after an array element. at offset: 21"),
        (b'{"a": [{"[": 1}] 2', "JSON Parse error: Missing a comma or } after an object member. at offset: 17"),
        (b"{1: 2}", "JSON Parse error: Missing a name for object member. at offset: 1"),
        (b'{"a": "', "JSON Parse error: Missing a closing quotation mark in string. at offset: 6"),
        (b'{"a": "\xc3\xa9", }', "JSON Parse error: Missing a name for object member. at offset:"),
    ],
)
def test_errors_have_the_words_users_know(body, message):
    with pytest.raises(StatusError) as caught:
        parse_object(body)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message.startswith(message)


def test_a_hostile_document_is_an_error_of_the_request():
    for body in (b'{"a": ' + b"[" * 200_000, b'{"a": ' + b"9" * 10_000 + b"}"):
        with pytest.raises(StatusError, match="JSON Parse error"):
            parse_object(body)


def test_a_long_value_is_cut():
    assert len(shown(["x" * 1000]).encode()) == 256
