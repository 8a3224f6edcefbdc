"""Arguments of the gRPC server."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from serving.server.channel_arguments import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("grpc.max_connection_age_ms=2000", [("grpc.max_connection_age_ms", 2000)]),
        ("a=1,b=two,c=-3", [("a", 1), ("b", "two"), ("c", -3)]),
        ("a=", [("a", "")]),
        ("a=b=c", [("a", "b=c")]),
        ("a=2147483647,b=2147483648", [("a", 2147483647), ("b", "2147483648")]),
    ],
)
def test_a_value_that_is_a_32_bit_integer_is_one(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["a", "a=1,b", "=1", "a=1,", ","])
def test_an_entry_without_name_or_value_is_refused(text):
    with pytest.raises(UsageError, match="is not of the form name=value"):
        parse(text)
